import { type EncodedStatus, encodeStatus, laneOf } from '#libs/messages'
import { undecodableEvent } from '../undecodable-event.ts'
import { channelOf } from './record-of-row.ts'
import type { QueuedRow, Reservation } from './reservation.ts'

/** What is published in place of a message that nobody could take: its row ends as abandoned, and says why. */
export function abandonedEvent(
  row: QueuedRow,
  { messageId, expiresAt, traceparent }: Reservation,
  error: string,
  worker: string,
): EncodedStatus {
  const event = undecodableEvent({
    id: messageId,
    projectId: row.nid,
    templateType: row.template_type,
    channel: channelOf(row),
    lane: laneOf(row.template_type),
    traceparent,
    queuedAt: row.created_at,
    expiresAt,
    failedAt: row.now,
    error,
    worker,
  })
  return encodeStatus(event)
}
