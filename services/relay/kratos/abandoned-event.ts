import { type EncodedStatus, encodeStatus, laneOf, statusEventId } from '#libs/messages'
import { traceIdOf } from '#libs/telemetry'
import { channelOf } from './record-of-row.ts'
import type { QueuedRow, Reservation } from './reservation.ts'

/** What is published in place of a message that nobody could take: its row ends as abandoned, and says why. */
export function abandonedEvent(
  row: QueuedRow,
  { messageId, expiresAt, traceparent }: Reservation,
  error: string,
  worker: string,
): EncodedStatus {
  return encodeStatus({
    id: statusEventId(messageId, 0, 'abandoned'),
    traceparent,
    createdBy: traceparent,
    data: {
      message_id: messageId,
      project_id: row.nid,
      template_type: row.template_type,
      channel: channelOf(row),
      status: 'abandoned',
      severity: 'permanent',
      terminal: true,
      dispatch: 0,
      attempt: 0,
      max_attempts: 0,
      occurred_at: row.now.toISOString(),
      queued_at: row.created_at.toISOString(),
      expires_at: expiresAt.toISOString(),
      reason: 'undecodable',
      decision: 'abandon',
      error,
      attempted: false,
      possibly_delivered: false,
      durations_ms: { total: Math.max(0, row.now.getTime() - row.created_at.getTime()) },
      lane: laneOf(row.template_type),
      trace_id: traceIdOf(traceparent),
      worker,
    },
  })
}
