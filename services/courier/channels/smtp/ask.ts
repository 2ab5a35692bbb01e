/** Question and answer, one at a time: enough for the handshake, which happens once per connection. */
import type { SmtpReply } from '#libs/smtp'
import type { SmtpCommand, SmtpSignal } from './smtp-signal.ts'
import type { Wire } from './smtp-wire.ts'

/** The session did not come about. Never leaves this folder. */
export class SessionRefused extends Error {
  override readonly name = 'SessionRefused'
  readonly signal: SmtpSignal

  constructor(signal: SmtpSignal) {
    super(`no session: ${signal.kind}`)
    this.signal = signal
  }
}

export interface Ask {
  /**
   * Sends `line` and waits for a reply that `isExpected`. `secret` is the part of the line that nobody may read: it is elided from what is
   * shown, and from the reply where a server repeats what it was told.
   * @throws SessionRefused for any other reply, a lost connection or no reply in time
   */
  (
    line: string,
    command: SmtpCommand,
    timeoutMs: number,
    isExpected: (code: number) => boolean,
    secret?: string,
  ): Promise<SmtpReply>
  /** Waits for a reply without a question: the greeting. @throws SessionRefused */
  readonly next: (command: SmtpCommand, timeoutMs: number) => Promise<SmtpReply>
}

const ELIDED = '***'

/** `deadlineMs` (epoch) ends any wait. */
export function openAsk(wire: Wire, conversation: string[], deadlineMs: number): Ask {
  function next(command: SmtpCommand, timeoutMs: number, secret?: string): Promise<SmtpReply> {
    return new Promise((resolve, reject) => {
      wire.handOver({
        onReply: (said) => {
          wire.handOver(silence(wire))
          const reply = secret === undefined ? said : { ...said, lines: said.lines.map((line) => elide(line, secret)) }
          conversation.push(...shownReply(reply))
          resolve(reply)
        },
        onLost: (loss) => reject(new SessionRefused({ kind: 'lost', loss, command, progress: 'before_data' })),
        onDue: () => wire.lose({ reason: 'timeout' }),
      })
      wire.due(Math.max(1, Math.min(timeoutMs, deadlineMs - Date.now())))
    })
  }

  async function ask(
    line: string,
    command: SmtpCommand,
    timeoutMs: number,
    isExpected: (code: number) => boolean,
    secret?: string,
  ): Promise<SmtpReply> {
    conversation.push(`C: ${secret === undefined ? line : elide(line, secret)}`)
    const answer = next(command, timeoutMs, secret)
    wire.write(`${line}\r\n`)
    const reply = await answer
    if (!isExpected(reply.code)) throw new SessionRefused({ kind: 'reply', reply, command })
    return reply
  }

  return Object.assign(ask, { next: (command: SmtpCommand, timeoutMs: number) => next(command, timeoutMs) })
}

function elide(text: string, secret: string): string {
  return text.replaceAll(secret, ELIDED)
}

/** A reply that nobody asked for puts the two sides out of step for good. */
function silence(wire: Wire) {
  return {
    onReply: () => wire.lose({ reason: 'garbage' }),
    onLost: () => wire.destroy(),
    onDue: () => wire.lose({ reason: 'timeout' }),
  }
}

export function shownReply({ code, lines }: SmtpReply): string[] {
  return lines.map((line) => `S: ${code} ${line}`)
}
