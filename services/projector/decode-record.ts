/** One record of any of the three topics, as the event that the projection folds. */
import type { InRecord } from '#libs/bus'
import { decodeMessage, decodeStatus, type Topics } from '#libs/messages'
import { parseTraceparent } from '#libs/telemetry'
import type { ProjectorEvent } from './project-status.ts'

/** @throws MESSAGE_UNDECODABLE, STATUS_UNDECODABLE */
export function decodeRecord(topic: string, record: InRecord, topics: Topics): ProjectorEvent {
  if (topic === topics.status) {
    const event = decodeStatus(record.value, record.headers)
    return { kind: 'status', id: event.data.message_id, event }
  }
  const message = decodeMessage(record.value)
  return {
    kind: 'message',
    id: message.id,
    record: message,
    recipientHash: record.key?.toString('latin1') || null,
    traceId: traceIdIn(record.headers.traceparent),
  }
}

function traceIdIn(header: Buffer | undefined): string | null {
  if (header === undefined) return null
  return parseTraceparent(header.toString('latin1'))?.traceId ?? null
}
