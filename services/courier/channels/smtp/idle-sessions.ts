/** Sessions between two mails. The last one used is the first one taken, so that those too many grow old and leave. */
import type { SmtpReply } from '#libs/smtp'
import type { CloseReason } from './session-metrics.ts'
import type { Session } from './smtp-session.ts'

export interface IdleSessions {
  readonly push: (session: Session) => void
  readonly pop: () => Session | undefined
  readonly size: () => number
  /** Says QUIT to `session` and resolves when it is gone. */
  readonly leave: (session: Session, reason: CloseReason) => Promise<void>
  /** Leaves all that are idle; resolves when they and those that were leaving already are gone. */
  readonly leaveAll: () => Promise<void>
}

/** A server that does not answer QUIT keeps nobody waiting. */
const QUIT_MS = 1_000

/** @param onClosed told of every session that ends here, once */
export function openIdleSessions(
  idleMs: number,
  onClosed: (mails: number, reason: CloseReason) => void = () => undefined,
): IdleSessions {
  const sessions: Session[] = []
  const leaving = new Set<Promise<void>>()

  function push(session: Session): void {
    sessions.push(session)
    session.wire.handOver({
      // 421 before it closes, or something that nobody asked for: either way it cannot be trusted with a mail.
      onReply: (reply) => {
        if (!isReset(session, reply)) lose(session).wire.destroy()
      },
      onLost: () => lose(session),
      onDue: () => leave(remove(session), 'idle'),
    })
    session.wire.due(idleMs)
  }

  function remove(session: Session): Session {
    const index = sessions.indexOf(session)
    if (index >= 0) sessions.splice(index, 1)
    return session
  }

  function lose(session: Session): Session {
    onClosed(session.mails, 'server')
    return remove(session)
  }

  function leave({ wire, mails }: Session, reason: CloseReason): Promise<void> {
    onClosed(mails, reason)
    const left = new Promise<void>((resolve) => {
      const gone = (): void => {
        wire.destroy()
        resolve()
      }
      wire.handOver({ onReply: ({ code }) => (code === 221 ? gone() : undefined), onLost: gone, onDue: gone })
      wire.write('QUIT\r\n')
      wire.due(QUIT_MS)
    }).finally(() => leaving.delete(left))
    leaving.add(left)
    return left
  }

  return {
    push,
    pop: () => sessions.pop(),
    size: () => sessions.length,
    leave,
    leaveAll: async () => {
      for (const session of sessions.splice(0)) leave(session, 'closing')
      await Promise.all(leaving)
    },
  }
}

/** The reply to RSET comes when the session is idle already; counts it. */
function isReset(session: Session, { code }: SmtpReply): boolean {
  if (session.resets === 0 || code >= 300) return false
  session.resets--
  return true
}
