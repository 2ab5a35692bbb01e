/**
 * One mail over one session: MAIL, RCPT and DATA as one group where the server takes it (RFC 2920), else one by one; then the content.
 * Callbacks and no promises: this runs for every mail. Keeps track of whether the final dot has left, which decides between "certainly
 * not delivered" and "perhaps delivered".
 */
import { performance } from 'node:perf_hooks'
import type { SmtpReply } from '#libs/smtp'
import type { AttemptPhases } from '../channel.ts'
import type { Envelope } from './envelope.ts'
import type { SmtpTimeouts } from './smtp-options.ts'
import type { Session } from './smtp-session.ts'
import type { Progress, SmtpCommand, SmtpSignal } from './smtp-signal.ts'
import type { Loss } from './smtp-wire.ts'

export interface Transaction {
  readonly from: string
  readonly to: Envelope
  /** Ends with CRLF, dots not yet doubled. */
  readonly content: string
  readonly timeouts: SmtpTimeouts
  /** Epoch ms. */
  readonly deadlineMs: number
}

export interface TransactionEnd {
  /** undefined: accepted. */
  readonly signal: SmtpSignal | undefined
  /** The reply that decided, and what it answered. */
  readonly reply: SmtpReply | undefined
  readonly command: SmtpCommand
  /** Whether the session can take another mail. */
  readonly keeps: boolean
  /** Whether the fault may lie in this connection alone, and nothing of the content has left. */
  readonly isStale: boolean
  readonly replies: readonly SmtpReply[]
  /** mail, data and dot, as far as it came. */
  readonly phases: AttemptPhases
}

type Step = 'RSET' | 'MAIL' | 'RCPT' | 'DATA' | 'LONE_DOT' | 'DOT'

/** The server leaves (221, 421), or the two sides no longer understand each other. */
const ENDS_SESSION = new Set([221, 421, 500, 501, 503, 555])
/** A body goes in blocks of that size, so that each has a timer of its own and a break inside is known to be inside. */
const BLOCK = 65_536

export function transact(session: Session, transaction: Transaction, end: (result: TransactionEnd) => void): void {
  const { wire, capabilities } = session
  const { timeouts, deadlineMs } = transaction
  const { pipelining } = capabilities
  const [mail, rcpt] = envelopeCommands(session, transaction)
  // Only a mail to an address in UTF-8 has more than 7 bits.
  const encoding = transaction.to.needsUtf8 ? 'utf8' : 'latin1'
  const replies: SmtpReply[] = []
  let step: Step = session.resets > 0 ? 'RSET' : 'MAIL'
  let refusal: { reply: SmtpReply; command: SmtpCommand } | undefined
  let hasMail = false
  let progress: Progress = 'before_data'
  let ended = false
  const startedAtMs = performance.now()
  let mailedAtMs: number | undefined
  let leftAtMs: number | undefined

  function start(): void {
    session.mails++
    wire.handOver({ onReply, onLost, onDue: () => wire.lose({ reason: 'timeout' }) })
    if (pipelining) wire.write(`${mail}${rcpt}DATA\r\n`, encoding)
    else if (step === 'MAIL') wire.write(mail, encoding)
    wait(timeouts.envelopeMs)
  }

  function wait(ms: number): void {
    wire.due(Math.max(1, Math.min(ms, deadlineMs - Date.now())))
  }

  function onReply(reply: SmtpReply): void {
    if (step !== 'RSET') replies.push(reply)
    switch (step) {
      case 'RSET':
        return afterReset(reply)
      case 'MAIL':
        hasMail = reply.code < 300
        return afterEnvelope(reply, 'MAIL', 'RCPT', rcpt, timeouts.envelopeMs)
      case 'RCPT':
        mailedAtMs = performance.now()
        return afterEnvelope(reply, 'RCPT', 'DATA', 'DATA\r\n', timeouts.dataMs)
      case 'DATA':
        return progress === 'before_data' ? afterData(reply) : refuse(reply, 'DATA')
      case 'LONE_DOT':
        return finishRefused(true)
      case 'DOT':
        return afterDot(reply)
    }
  }

  function afterReset(reply: SmtpReply): void {
    if (reply.code >= 300) return wire.lose({ reason: 'garbage' })
    if (--session.resets > 0) return
    step = 'MAIL'
    if (!pipelining) wire.write(mail, encoding)
    wait(timeouts.envelopeMs)
  }

  function afterEnvelope(reply: SmtpReply, command: 'MAIL' | 'RCPT', next: Step, line: string, ms: number): void {
    if (reply.code >= 300) {
      refusal ??= { reply, command }
      // In a group the other replies come too, and DATA may have been taken; after 421 none will.
      if (!pipelining || reply.code === 421) return finishRefused(true)
    }
    step = next
    if (!pipelining) wire.write(line, encoding)
    wait(ms)
  }

  function afterData(reply: SmtpReply): void {
    if (reply.code !== 354) return refuse(reply, 'DATA')
    if (refusal === undefined) return sendContent()
    step = 'LONE_DOT'
    wire.write('.\r\n')
    wait(timeouts.dotMs)
  }

  function sendContent(): void {
    progress = 'in_body'
    const { content } = transaction
    const stuffed = content.includes('\n.') ? content.replaceAll('\n.', '\n..') : content
    sendBlocks(`${stuffed}.\r\n`)
  }

  function sendBlocks(text: string): void {
    const isLast = text.length <= BLOCK
    if (isLast) step = 'DOT'
    // TLS reports what left only later than it may have arrived: from here on it counts as gone.
    if (isLast && session.peer.tls !== undefined) progress = 'after_dot'
    wire.write(isLast ? text : text.slice(0, BLOCK), encoding, () => {
      if (ended) return
      if (!isLast) return sendBlocks(text.slice(BLOCK))
      leftAtMs = performance.now()
      progress = 'after_dot'
      wait(timeouts.dotMs)
    })
    wait(timeouts.bodyMs)
  }

  function afterDot(reply: SmtpReply): void {
    // The answer may be here before this process is told that the last byte has left.
    leftAtMs ??= performance.now()
    if (reply.code >= 300) return refuse(reply, 'DOT')
    finish({ signal: undefined, reply, command: 'DOT', keeps: true, isStale: false })
  }

  function refuse(reply: SmtpReply, command: SmtpCommand): void {
    refusal ??= { reply, command }
    // A refusal in the middle of the body leaves the rest of the body to be taken for commands.
    finishRefused(reply.code >= 400 && progress !== 'in_body')
  }

  function finishRefused(isInStep: boolean): void {
    const { reply, command } = refusal!
    const keeps = isInStep && !ENDS_SESSION.has(reply.code) && replies.at(-1)?.code !== 421
    if (keeps && hasMail && command !== 'DOT') reset()
    const isStale = reply.code === 421 && progress === 'before_data'
    finish({ signal: { kind: 'reply', reply, command }, reply, command, keeps, isStale })
  }

  /** The refused envelope must not become part of the next one; the connection stays. */
  function reset(): void {
    session.resets++
    wire.write('RSET\r\n')
  }

  function onLost(loss: Loss): void {
    if (refusal !== undefined) return finishRefused(false)
    const command = step === 'LONE_DOT' || step === 'RSET' ? 'MAIL' : step
    const signal: SmtpSignal = { kind: 'lost', loss, command, progress }
    finish({ signal, reply: undefined, command, keeps: false, isStale: progress === 'before_data' })
  }

  function finish(result: Omit<TransactionEnd, 'replies' | 'phases'>): void {
    if (ended) return
    ended = true
    end({ ...result, replies, phases: phasesUntilNow() })
  }

  function phasesUntilNow(): AttemptPhases {
    const nowMs = performance.now()
    if (mailedAtMs === undefined) return { mail: nowMs - startedAtMs }
    const mail = mailedAtMs - startedAtMs
    if (leftAtMs === undefined) return { mail, data: nowMs - mailedAtMs }
    return { mail, data: leftAtMs - mailedAtMs, dot: nowMs - leftAtMs }
  }

  start()
}

function envelopeCommands({ capabilities }: Session, { from, to, content }: Transaction): [mail: string, rcpt: string] {
  const size = capabilities.hasSize ? ` SIZE=${to.needsUtf8 ? Buffer.byteLength(content) : content.length}` : ''
  const utf8 = to.needsUtf8 ? ' BODY=8BITMIME SMTPUTF8' : ''
  return [`MAIL FROM:<${from}>${size}${utf8}\r\n`, `RCPT TO:<${to.address}>\r\n`]
}
