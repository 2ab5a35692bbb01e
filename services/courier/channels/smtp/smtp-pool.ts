/**
 * A channel over SMTP: a pool of sessions of our own. Each takes one mail at a time and stays open for the next, also after a refusal.
 * Opened on demand; there is no queue, the caller keeps to `free`.
 */
import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { messageOf } from '#libs/errors'
import type { AttemptPhases, AttemptResult, Channel, OutgoingMail } from '../channel.ts'
import { attemptResult, type EndedTry } from './attempt-result.ts'
import { openComposer } from './compose-mail.ts'
import { type Envelope, envelopeOf } from './envelope.ts'
import { openIdleSessions } from './idle-sessions.ts'
import { openSessionMetrics } from './session-metrics.ts'
import { type SmtpChannelOptions, settleOptions } from './smtp-options.ts'
import { openSession, type Session } from './smtp-session.ts'
import type { SmtpSignal } from './smtp-signal.ts'
import { transact } from './transact.ts'

/** One mail between `send` and `done`. */
interface Sending {
  readonly mail: OutgoingMail
  readonly done: (attempt: AttemptResult) => void
  readonly stillWanted: (() => boolean) | undefined
  /** On the clock of `performance.now()`, as `connectedAtMs`, which is set where a session had to be opened. */
  readonly startedAtMs: number
  connectedAtMs: number | undefined
  session: Session | undefined
}

/** Nothing was said about this mail on the wire. */
const UNSAID = { reply: undefined, command: 'MAIL', replies: [], phases: {} } as const

/** @throws CONFIG_INVALID for a sender, header or local name that cannot be used */
export function openSmtpChannel(options: SmtpChannelOptions): Channel {
  const settings = settleOptions(options)
  const { target, place, maxConnections, timeouts } = settings
  const compose = openComposer(settings)
  const onClosed = openSessionMetrics()
  const idle = openIdleSessions(settings.idleMs, onClosed)
  const active = new Set<Session>()
  const sockets = new Set<Socket>()
  const listeners: (() => void)[] = []
  const unconnected = { host: target.host, port: target.port }
  let busy = 0
  let closing: Promise<void> | undefined
  let onDrained: (() => void) | undefined

  function send(mail: OutgoingMail, done: (attempt: AttemptResult) => void, stillWanted?: () => boolean): void {
    if (busy >= maxConnections) throw new Error('no place is free: ask for `free` before `send`')
    busy++
    const startedAtMs = performance.now()
    const sending: Sending = { mail, done, stillWanted, startedAtMs, connectedAtMs: undefined, session: undefined }
    const to = envelopeOf(mail.recipient)
    if ('problem' in to) return refuse(sending, { kind: 'recipient_invalid', problem: to.problem })
    if (closing !== undefined) return refuse(sending, { kind: 'closing' })
    const session = takeIdle()
    if (session === undefined) connect(sending, to)
    else announce(sending, to, session)
  }

  function takeIdle(): Session | undefined {
    for (let session = idle.pop(); session !== undefined; session = idle.pop()) {
      if (!isWornOut(session)) return session
      idle.leave(session, 'worn_out')
    }
    return undefined
  }

  function isWornOut({ mails, openedAtMs }: Session): boolean {
    const { maxMessagesPerConnection, maxConnectionAgeMs } = settings
    return mails >= maxMessagesPerConnection || performance.now() - openedAtMs >= maxConnectionAgeMs
  }

  function connect(sending: Sending, to: Envelope): void {
    openSession(settings, sending.mail.deadline, sockets).then((opened) => {
      sending.connectedAtMs = performance.now()
      if ('wire' in opened) return announce(sending, to, opened)
      const { signal, conversation: handshake, phases } = opened
      const answered = signal.kind === 'reply' ? signal : {}
      finish(sending, { ...UNSAID, ...answered, signal, handshake, phases })
    })
  }

  /** Everything that can still be found out without the server is found out before it hears of the mail. */
  function announce(sending: Sending, to: Envelope, session: Session): void {
    sending.session = session
    const content = contentOf(sending, to, session)
    if (typeof content !== 'string') {
      release(session, true)
      return refuse(sending, content)
    }
    active.add(session)
    const transaction = { from: settings.from.address, to, content, timeouts, deadlineMs: sending.mail.deadline }
    transact(session, transaction, (ended) => {
      active.delete(session)
      release(session, ended.keeps)
      // A connection that died while it lay idle says nothing about the mail or the server.
      if (ended.isStale && sending.connectedAtMs === undefined && closing === undefined) return connect(sending, to)
      const handshake = sending.connectedAtMs === undefined ? [] : session.conversation
      finish(sending, { ...ended, handshake, phases: withOpening(sending, ended.phases) })
    })
  }

  /** What goes between DATA and the dot, or why the mail is not sent. */
  function contentOf({ mail, stillWanted }: Sending, to: Envelope, session: Session): string | SmtpSignal {
    if (stillWanted?.() === false) return { kind: 'expired' }
    if (to.needsUtf8 && !session.capabilities.smtputf8) return { kind: 'smtputf8_missing' }
    let content: string
    try {
      content = compose(mail, to.address)
    } catch (error) {
      return { kind: 'compose', problem: messageOf(error) }
    }
    const { sizeLimit } = session.capabilities
    if (sizeLimit !== undefined && content.length > sizeLimit) {
      return { kind: 'too_large', sizeBytes: content.length, limitBytes: sizeLimit }
    }
    return content
  }

  function release(session: Session, keeps: boolean): void {
    if (!keeps) {
      onClosed(session.mails, 'failed')
      session.wire.destroy()
    } else if (closing !== undefined) idle.leave(session, 'closing')
    else if (isWornOut(session)) idle.leave(session, 'worn_out')
    else idle.push(session)
  }

  /** Ends a try of which nothing reached the server; later in this turn, since `send` may not have returned. */
  function refuse(sending: Sending, signal: SmtpSignal): void {
    const phases = withOpening(sending, UNSAID.phases)
    queueMicrotask(() => finish(sending, { ...UNSAID, signal, handshake: [], phases }))
  }

  function finish(
    { mail, done, startedAtMs, connectedAtMs, session }: Sending,
    ended: Pick<EndedTry, 'signal' | 'reply' | 'command' | 'replies' | 'handshake' | 'phases'>,
  ): void {
    const attempt = attemptResult({
      recipient: mail.recipient,
      signal: ended.signal,
      reply: ended.reply,
      command: ended.command,
      replies: ended.replies,
      handshake: ended.handshake,
      phases: ended.phases,
      peer: session?.peer ?? unconnected,
      place,
      reused: session !== undefined && connectedAtMs === undefined,
      startedAtMs,
      connectedAtMs,
    })
    const wasFull = busy === maxConnections
    busy--
    done(attempt)
    if (busy === 0) onDrained?.()
    if (wasFull && closing === undefined) for (const listener of listeners) listener()
  }

  function close(patienceMs = settings.drainMs): Promise<void> {
    closing ??= drain()
    if (busy > 0) {
      const timer = setTimeout(cutOff, patienceMs)
      closing.finally(() => clearTimeout(timer))
    }
    return closing
  }

  /** What is cut off says so through `done`. */
  function cutOff(): void {
    for (const { wire } of active) wire.lose({ reason: 'timeout' })
    for (const socket of sockets) socket.destroy()
  }

  async function drain(): Promise<void> {
    const leaving = idle.leaveAll()
    if (busy > 0) {
      await new Promise<void>((resolve) => {
        onDrained = resolve
      })
    }
    await Promise.all([leaving, idle.leaveAll()])
  }

  return {
    get free() {
      return closing === undefined ? maxConnections - busy : 0
    },
    send,
    connections: () => ({ idle: idle.size(), busy: active.size }),
    onFree: (callback) => {
      listeners.push(callback)
    },
    close,
  }
}

/** Where the connection was opened for this mail, its opening is part of the try. */
function withOpening({ connectedAtMs, session }: Sending, phases: AttemptPhases): AttemptPhases {
  return connectedAtMs === undefined || session === undefined ? phases : { ...session.phases, ...phases }
}
