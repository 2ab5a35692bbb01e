/** Under which id a row of Kratos travels. Reserved before it is published, so that its status always finds the way back. */
import { DEFAULT_LIFETIME_MS, MAX_LIFETIME_MS, type MessageId } from '#libs/messages'
import { idBaseMs, kratosMessageId } from './message-id.ts'
import { dataOf } from './template-data.ts'

/** A row of `courier_messages`, as it waits. */
export interface QueuedRow {
  readonly id: string
  /** Kratos' network: the project. */
  readonly nid: string
  /** 1 email, 2 SMS. */
  readonly type: number
  readonly recipient: string
  readonly subject: string
  readonly body: string
  readonly template_type: string
  readonly template_data: Buffer | null
  readonly channel: string | null
  readonly request_headers: unknown
  readonly send_count: number
  readonly created_at: Date
  /** The database's clock at this reading. */
  readonly now: Date
}

export interface Reservation {
  readonly messageId: MessageId
  readonly kratosId: string
  readonly nid: string
  /** 1, and one more each time the row was queued again after its message had ended. */
  readonly generation: number
  readonly reservedAt: Date
  readonly expiresAt: Date
  /** The context that the message starts with. */
  readonly traceparent: string
  readonly isEnded: boolean
}

const MINUTE_MS = 60_000

/**
 * The row's latest reservation while its message is under way: whoever takes the row again, after a crash for instance, publishes the very
 * same message. A new one, of the next generation, where there is none or it has ended.
 */
export function reservationOf(row: QueuedRow, latest: Reservation | undefined, traceparent: string): Reservation {
  if (latest !== undefined && !latest.isEnded) return latest
  const generation = (latest?.generation ?? 0) + 1
  const baseMs = idBaseMs(row.created_at.getTime(), row.now.getTime())
  return {
    messageId: kratosMessageId(row.id, generation, baseMs),
    kratosId: row.id,
    nid: row.nid,
    generation,
    reservedAt: row.now,
    expiresAt: expiryOf(row),
    traceparent,
    isEnded: false,
  }
}

/** A code dies when Kratos says so, counted from its making; what names no end is tried for a day from now on. */
function expiryOf({ template_data, created_at, now }: QueuedRow): Date {
  const minutes = dataOf(template_data)?.expires_in_minutes
  if (typeof minutes !== 'number' || !(minutes > 0)) return new Date(now.getTime() + DEFAULT_LIFETIME_MS)
  const diesMs = created_at.getTime() + minutes * MINUTE_MS
  return new Date(Math.min(diesMs, now.getTime() + MAX_LIFETIME_MS))
}
