/** The server's side of one connection to the SMTP sink: answers every chunk by one write, and fails on demand. */
import type { Socket } from 'node:net'
import { createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls'
import { beginLogin, type LoginStep, type SinkAuth } from './smtp-sink-login.ts'

export interface SinkMail {
  readonly to: string
  readonly from: string
  /** `<id@domain>`; '' where the mail has none. */
  readonly messageId: string
  /** As sent, dots undoubled; '' when lean. */
  readonly raw: string
  /** Whether it came under TLS. */
  readonly isSecure: boolean
}

/** Certificate, and how TLS is done. */
export interface SinkTls extends SecureContextOptions {
  /** From the start, not by STARTTLS. */
  readonly isImplicit?: boolean
  /** Wants a certificate of `ca` from the client. */
  readonly requestCert?: boolean
  /** Says yes to STARTTLS, and goes on in clear. */
  readonly isBroken?: boolean
}

export interface SinkScript {
  /** 0 or unset: any that is free. */
  readonly port?: number
  /** Keeps ids only. */
  readonly lean?: boolean
  /** null: says nothing. */
  readonly greeting?: string | null
  /** What EHLO offers, beside STARTTLS and AUTH where they are set. */
  readonly extensions?: readonly string[]
  /**
   * Answers instead of the sink: a line without its end, '' for silence from then on, 'CLOSE' to hang up; undefined leaves it to the sink.
   * `DOT` is the end of a mail, `OPEN` the start of a connection.
   */
  readonly answer?: (command: string, line: string, session: SinkSession) => string | undefined
  readonly tls?: SinkTls
  readonly auth?: SinkAuth
  /** Answers 421 to any mail beyond and hangs up. */
  readonly mailsPerSession?: number
}

export interface SinkSession {
  /** 1 for the first connection. */
  readonly number: number
  isSecure: boolean
  isLoggedIn: boolean
  from: string
  recipients: string[]
  /** Mails announced. */
  mails: number
}

const MAX_RECENT = 20_000
const EXTENSIONS = ['PIPELINING', '8BITMIME', 'SMTPUTF8', 'ENHANCEDSTATUSCODES', 'SIZE 20000000']
const END = Buffer.from('\r\n.\r\n')
const MESSAGE_ID = /^message-id:\s*(<[^>\r\n]*>)/im

/** By the beginning of the recipient's local part. `DOT` faults come after the mail has been taken. */
const FAULTS: readonly (readonly [prefix: string, command: string, answer: string])[] = [
  ['reject-550', 'RCPT', '550 5.1.1 No such user'],
  ['defer-451', 'RCPT', '451 4.3.0 Local trouble'],
  ['421-mid', 'RCPT', '421 4.4.2 Closing'],
  ['close-mid-body', 'BODY', 'CLOSE'],
  ['close-after-dot', 'DOT', 'CLOSE'],
  ['stall-data', 'DATA', ''],
  ['stall-after-dot', 'DOT', ''],
]

/** What the sink remembers of all its connections. */
export interface Ledger {
  readonly lean: boolean
  readonly mails: SinkMail[]
  readonly lines: string[]
  readonly ids: string[]
  readonly recent: { messageId: string; at: number }[]
  /** Recipients that were refused, with how often. */
  readonly deferrals: Map<string, number>
}

export function openLedger(lean: boolean): Ledger {
  return { lean, mails: [], lines: [], ids: [], recent: [], deferrals: new Map() }
}

/** Speaks to one client; every chunk is answered by one write. */
export function serve(first: Socket, number: number, script: SinkScript, ledger: Ledger): void {
  const session: SinkSession = {
    number,
    isSecure: first instanceof TLSSocket,
    isLoggedIn: false,
    from: '',
    recipients: [],
    mails: 0,
  }
  let socket = first
  let pending: Buffer = Buffer.alloc(0)
  let inBody = false
  let challenge: LoginStep['next']
  let out = ''
  let closes = false
  /** Says nothing any more, whatever comes. */
  let stalls = false

  const greeting = script.answer?.('OPEN', '', session) ?? script.greeting
  if (greeting !== null && greeting !== '') say(greeting ?? '220 sink ESMTP')
  flush()
  socket.on('data', onData)

  function onData(chunk: Buffer): void {
    if (stalls) return
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    let goesOn = true
    while (goesOn && !closes && !stalls && !socket.destroyed) goesOn = inBody ? takeBody() : takeLine()
    flush()
  }

  function say(answer: string): void {
    if (answer === '') stalls = true
    else if (answer === 'CLOSE') closes = true
    else out += `${answer}\r\n`
    if (answer.startsWith('421')) closes = true
  }

  function flush(): void {
    if (out !== '') socket.write(out, 'latin1')
    out = ''
    if (closes) socket.end(() => socket.destroy())
  }

  function takeLine(): boolean {
    const end = pending.indexOf('\r\n')
    if (end < 0) return false
    const line = pending.toString('utf8', 0, end)
    pending = pending.subarray(end + 2)
    if (!ledger.lean) ledger.lines.push(`${number} ${line}`)
    if (challenge !== undefined) {
      logIn(challenge(line))
      return true
    }
    command(line.slice(0, 4).toUpperCase(), line)
    return true
  }

  function command(verb: string, line: string): void {
    const name = verb === 'STAR' ? 'STARTTLS' : verb
    const fault = script.answer?.(name, line, session) ?? faultOf(name, line)
    if (fault !== undefined && !fault.startsWith('354')) return say(fault)
    switch (name) {
      case 'EHLO':
        return say(offer())
      case 'STARTTLS':
        return startTls()
      case 'AUTH':
        return startLogin(line.slice(5))
      case 'MAIL':
        return say(takeMail(line))
      case 'RCPT':
        session.recipients.push(addressIn(line))
        return say('250 2.1.5 Ok')
      case 'DATA':
        if (session.recipients.length === 0 && fault === undefined) return say('503 5.5.1 No recipients')
        inBody = true
        return say('354 Go ahead')
      case 'RSET':
        clear()
        return say('250 2.0.0 Ok')
      case 'QUIT':
        say('221 2.0.0 Bye')
        return say('CLOSE')
      case 'HELO':
      case 'NOOP':
        return say('250 Ok')
      default:
        return say('500 5.5.2 What?')
    }
  }

  function faultOf(name: string, line: string): string | undefined {
    const address = name === 'RCPT' ? addressIn(line) : (session.recipients[0] ?? '')
    if (name === 'RCPT' && address.startsWith('defer-3-then-ok')) {
      const deferred = ledger.deferrals.get(address) ?? 0
      ledger.deferrals.set(address, deferred + 1)
      return deferred < 3 ? '451 4.3.0 Not yet' : undefined
    }
    return FAULTS.find(([prefix, at]) => at === name && address.startsWith(prefix))?.[2]
  }

  function offer(): string {
    const offered = ['sink', ...(script.extensions ?? EXTENSIONS)]
    if (script.tls !== undefined && !session.isSecure) offered.push('STARTTLS')
    if (isLoginPossible()) offered.push(`AUTH ${script.auth?.mechanisms.join(' ')}`)
    return offered.map((line, index) => `250${index === offered.length - 1 ? ' ' : '-'}${line}`).join('\r\n')
  }

  function startTls(): void {
    const { tls } = script
    if (tls === undefined) return say('502 5.5.1 No TLS here')
    say('220 2.0.0 Ready')
    flush()
    socket.off('data', onData)
    const bare = socket
    if (tls.isBroken) return void bare.on('data', () => bare.write('500 5.5.2 What?\r\n'))
    const requestCert = tls.requestCert ?? false
    socket = new TLSSocket(bare, {
      isServer: true,
      secureContext: createSecureContext(tls),
      requestCert,
      rejectUnauthorized: requestCert,
    })
    socket.on('error', () => bare.destroy()).on('close', () => bare.destroy())
    session.isSecure = true
    pending = Buffer.alloc(0)
    socket.on('data', onData)
  }

  function isLoginPossible(): boolean {
    return script.auth !== undefined && (session.isSecure || !script.auth.needsTls)
  }

  function startLogin(line: string): void {
    if (script.auth === undefined || !isLoginPossible()) return say('503 5.5.1 No login here')
    logIn(beginLogin(script.auth, line))
  }

  function logIn({ answer, next, isLoggedIn }: LoginStep): void {
    challenge = next
    session.isLoggedIn = isLoggedIn ?? false
    say(answer)
  }

  function takeMail(line: string): string {
    if (script.auth !== undefined && !session.isLoggedIn) return '530 5.7.0 Log in first'
    if (session.mails >= (script.mailsPerSession ?? Number.POSITIVE_INFINITY)) return '421 4.7.0 Enough for one session'
    if (session.from !== '') return '503 5.5.1 Nested MAIL'
    session.mails++
    session.from = addressIn(line)
    return '250 2.1.0 Ok'
  }

  function takeBody(): boolean {
    const midway = faultOf('BODY', '')
    if (midway !== undefined) {
      say(midway)
      return false
    }
    const isEmpty = pending.length >= 3 && pending.toString('latin1', 0, 3) === '.\r\n'
    const end = isEmpty ? -2 : pending.indexOf(END)
    if (end === -1) return false
    const content = pending.subarray(0, Math.max(0, end + 2))
    pending = pending.subarray(end + END.length)
    inBody = false
    say(isEmpty ? '554 5.5.1 No valid recipients' : endOfMail(content))
    clear()
    return true
  }

  function endOfMail(content: Buffer): string {
    const answer = script.answer?.('DOT', '', session) ?? faultOf('DOT', '')
    if (answer !== undefined && answer !== '' && answer !== 'CLOSE' && !answer.startsWith('2')) return answer
    record(ledger, session, content)
    return answer ?? `250 2.0.0 Ok: queued as ${number}.${session.mails}`
  }

  function clear(): void {
    session.from = ''
    session.recipients = []
  }
}

function record(ledger: Ledger, session: SinkSession, content: Buffer): void {
  const messageId = MESSAGE_ID.exec(content.toString('latin1', 0, 2_048))?.[1] ?? ''
  ledger.ids.push(messageId)
  ledger.recent.push({ messageId, at: performance.timeOrigin + performance.now() })
  if (ledger.recent.length > MAX_RECENT) ledger.recent.splice(0, MAX_RECENT / 2)
  if (ledger.lean) return
  const raw = content.toString('utf8').replace(/^\.\./gm, '.')
  ledger.mails.push({
    to: session.recipients.join(','),
    from: session.from,
    messageId,
    raw,
    isSecure: session.isSecure,
  })
}

function addressIn(line: string): string {
  return /<([^>]*)>/.exec(line)?.[1] ?? ''
}
