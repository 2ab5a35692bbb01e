/** The `abandoned` event of every row that was set aside: published after the fact is stored, so that none is missing. */
import type { Database } from '#libs/database'
import { asMessageId, encodeStatus, partitionOfId, type StatusEvent, statusEventId } from '#libs/messages'
import { type DeadRow, markAnnounced, unannouncedRows } from '#libs/outbox'
import { traceIdOf } from '#libs/telemetry'
import type { Send } from './partition-lines.ts'

export interface AnnouncePorts {
  readonly database: Database
  readonly send: Send
  readonly statusTopic: string
  readonly partitions: number
  /** Named in the event. */
  readonly worker: string
}

/** A crash before the last line publishes the same events again, under the same ids. @returns the number of events */
export async function announceDead(shards: readonly number[], ports: AnnouncePorts): Promise<number> {
  const rows = await unannouncedRows(ports.database, shards)
  if (rows.length === 0) return 0
  await Promise.all(rows.map((row) => announce(row, ports)))
  await markAnnounced(
    ports.database,
    rows.map(({ id }) => id),
  )
  return rows.length
}

function announce(row: DeadRow, { send, statusTopic, partitions, worker }: AnnouncePorts): Promise<void> {
  return send(statusTopic, partitionOfId(asMessageId(row.id), partitions), [encodeStatus(abandoned(row, worker))])
}

function abandoned(row: DeadRow, worker: string): StatusEvent {
  const id = asMessageId(row.id)
  return {
    id: statusEventId(id, 0, 'abandoned'),
    traceparent: row.traceparent,
    createdBy: row.traceparent,
    data: {
      message_id: id,
      project_id: row.project_id,
      template_type: row.template_type,
      channel: row.channel,
      status: 'abandoned',
      severity: 'permanent',
      terminal: true,
      dispatch: 0,
      attempt: 0,
      max_attempts: 0,
      occurred_at: row.failed_at.toISOString(),
      queued_at: row.created_at.toISOString(),
      expires_at: row.expires_at.toISOString(),
      reason: 'undecodable',
      decision: 'abandon',
      error: row.reason,
      attempted: false,
      possibly_delivered: false,
      durations_ms: { total: row.failed_at.getTime() - row.created_at.getTime() },
      lane: row.lane,
      trace_id: traceIdOf(row.traceparent),
      worker,
    },
  }
}
