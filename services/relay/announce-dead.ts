/** The `abandoned` event of every row that was set aside: published after the fact is stored, so that none is missing. */
import type { Database } from '#libs/database'
import { asMessageId, encodeStatus, partitionOfId, type StatusEvent } from '#libs/messages'
import { type DeadRow, markAnnounced, unannouncedRows } from '#libs/outbox'
import type { Send } from './partition-lines.ts'
import { undecodableEvent } from './undecodable-event.ts'

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
  return undecodableEvent({
    id: asMessageId(row.id),
    projectId: row.project_id,
    templateType: row.template_type,
    channel: row.channel,
    lane: row.lane,
    traceparent: row.traceparent,
    queuedAt: row.created_at,
    expiresAt: row.expires_at,
    failedAt: row.failed_at,
    error: row.reason,
    worker,
  })
}
