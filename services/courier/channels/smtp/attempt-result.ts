/** What the courier is told about one try. */
import { performance } from 'node:perf_hooks'
import type { SmtpReply } from '#libs/smtp'
import type { AttemptPeer, AttemptPhases, AttemptReply, AttemptResult } from '../channel.ts'
import { shownReply } from './ask.ts'
import { describeFailure } from './describe-failure.ts'
import { providerIdOf } from './provider-id.ts'
import type { SmtpCommand, SmtpSignal } from './smtp-signal.ts'

export interface EndedTry {
  readonly recipient: string
  /** undefined: accepted. */
  readonly signal: SmtpSignal | undefined
  readonly reply: SmtpReply | undefined
  readonly command: SmtpCommand
  readonly replies: readonly SmtpReply[]
  readonly handshake: readonly string[]
  readonly peer: AttemptPeer
  /** `host:port`, for messages. */
  readonly place: string
  readonly reused: boolean
  /** On the clock of `performance.now()`; the last is set where a connection was opened for the mail. */
  readonly startedAtMs: number
  readonly connectedAtMs: number | undefined
  readonly phases: AttemptPhases
}

/** A server's novel would not fit a record. */
const MAX_TEXT = 2_000

export function attemptResult(ended: EndedTry): AttemptResult {
  const { signal, reply, reused, peer, startedAtMs, connectedAtMs, phases, recipient } = ended
  const timed = {
    peer,
    reused,
    startedAt: performance.timeOrigin + startedAtMs,
    timings:
      connectedAtMs === undefined
        ? { sendMs: performance.now() - startedAtMs, phases }
        : { connectMs: connectedAtMs - startedAtMs, sendMs: performance.now() - connectedAtMs, phases },
    ...(reply !== undefined && { reply: attemptReply(reply, ended.command) }),
  }
  if (signal !== undefined) {
    const isUnknown = signal.kind === 'lost' && signal.progress === 'after_dot'
    return {
      ...timed,
      outcome: isUnknown ? 'unknown' : 'failed',
      failure: describeFailure(signal, ended.place),
      conversation: conversationOf(ended),
    }
  }
  const providerMessageId = reply === undefined ? undefined : providerIdOf(reply, recipient)
  return { ...timed, outcome: 'accepted', ...(providerMessageId !== undefined && { providerMessageId }) }
}

function attemptReply({ code, enhanced, lines }: SmtpReply, command: SmtpCommand): AttemptReply {
  const text = lines.join('\n').slice(0, MAX_TEXT)
  return enhanced === undefined ? { code, command, text } : { code, enhanced, command, text }
}

const COMMANDS: readonly SmtpCommand[] = ['MAIL', 'RCPT', 'DATA', 'DOT']

/** The handshake as it was, then what the server said to each command of the mail, and the command that it left unanswered. */
function conversationOf({ handshake, replies, recipient, signal }: EndedTry): string[] {
  const sent = ['C: MAIL', `C: RCPT TO:<${recipient}>`, 'C: DATA', 'C: (the mail)']
  const lines = [...handshake]
  for (const [index, reply] of replies.entries()) lines.push(sent[index] ?? 'C: …', ...shownReply(reply))
  if (signal?.kind === 'lost' && COMMANDS.includes(signal.command)) lines.push(sent[replies.length] ?? 'C: …')
  return lines.map((line) => line.slice(0, MAX_TEXT))
}
