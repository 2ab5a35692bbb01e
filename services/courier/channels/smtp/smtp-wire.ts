/** One connection below the dialogue: text out, replies in, one deadline at a time. */
import type { Socket } from 'node:net'
import { openReplyReader, type SmtpReply } from '#libs/smtp'
import { openDeadline } from './deadline.ts'

export interface Loss {
  readonly reason: 'closed' | 'error' | 'timeout' | 'garbage'
  /** Node's error code, where there was one. */
  readonly code?: string
}

/** Whoever has the floor: the handshake, a transaction, or the pool while the connection is idle. */
export interface WireHandler {
  readonly onReply: (reply: SmtpReply) => void
  /** The connection is gone; called once, and nothing follows. */
  readonly onLost: (loss: Loss) => void
  /** The deadline passed; the connection still stands. */
  readonly onDue: () => void
}

export interface Wire {
  /** A handler that comes after the loss is told of it, later in this turn. */
  readonly handOver: (handler: WireHandler) => void
  /** `written` is called when the last byte has left this process, and never if it has not. */
  readonly write: (data: string, encoding?: 'latin1' | 'utf8', written?: () => void) => void
  /** Replaces the deadline: `onDue` in `ms`, unless set again. */
  readonly due: (ms: number) => void
  /**
   * Gives the socket, free of listeners, for TLS to be put over it; undefined when the peer sent more than was asked for, which would
   * pass as said under TLS (CVE-2011-0411).
   */
  readonly detach: () => Socket | undefined
  readonly attach: (socket: Socket) => void
  /** Ends the connection at once and tells the handler. */
  readonly lose: (loss: Loss) => void
  /** Ends the connection at once and tells nobody. */
  readonly destroy: () => void
}

const NOBODY: WireHandler = { onReply: ignore, onLost: ignore, onDue: ignore }

export function openWire(first: Socket): Wire {
  const reader = openReplyReader()
  const deadline = openDeadline(() => handler.onDue())
  let socket = first
  let handler = NOBODY
  let lost = false
  let lastLoss: Loss | undefined

  const onData = (chunk: Buffer): void => {
    reader.push(chunk)
    for (let reply = reader.next(); reply !== undefined && !lost; reply = reader.next()) {
      if (reply === 'garbage') return lose({ reason: 'garbage' })
      handler.onReply(reply)
    }
  }
  const onEnd = (): void => lose({ reason: 'closed' })
  const onError = (error: NodeJS.ErrnoException): void =>
    lose({ reason: 'error', ...(error.code !== undefined && { code: error.code }) })

  function attach(next: Socket): void {
    socket = next
    if (socket.destroyed) lose({ reason: 'closed' })
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError)
  }

  function lose(loss: Loss): void {
    if (lost) return
    lastLoss = loss
    destroy()
    handler.onLost(loss)
  }

  function destroy(): void {
    lost = true
    deadline.clear()
    socket.destroy()
  }

  attach(first)
  return {
    handOver: (next) => {
      handler = next
      const loss = lastLoss
      if (loss !== undefined) queueMicrotask(() => next.onLost(loss))
    },
    write: (data, encoding = 'latin1', written) => {
      if (lost) return
      if (written === undefined) socket.write(data, encoding)
      else {
        socket.write(data, encoding, (error) => {
          if (!error && !lost) written()
        })
      }
    },
    due: (ms) => {
      if (!lost) deadline.set(ms)
    },
    detach: () => {
      if (lost || !reader.isEmpty()) return undefined
      return socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError)
    },
    attach,
    lose,
    destroy,
  }
}

function ignore(): void {
  // Nobody has the floor yet; the first handler is told of a loss.
}
