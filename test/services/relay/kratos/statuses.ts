import {
  type EventState,
  isTerminal,
  type MessageId,
  type StatusData,
  type StatusEvent,
  statusEventId,
} from '#libs/messages'
import { TRACEPARENT } from './rows.ts'

const OCCURRED_MS = Date.parse('2030-01-31T12:00:00Z')

/** What a courier says of one dispatch. */
export function statusOf(
  messageId: string,
  dispatch: number,
  status: EventState,
  more: Partial<StatusData> = {},
): StatusEvent {
  const id = messageId as MessageId
  return {
    id: statusEventId(id, dispatch, status),
    traceparent: TRACEPARENT,
    createdBy: TRACEPARENT,
    data: {
      message_id: id,
      project_id: '00000000-0000-7000-8000-000000000001',
      template_type: 'stub',
      channel: 'email',
      status,
      severity: 'none',
      terminal: isTerminal(status),
      dispatch,
      attempt: dispatch,
      max_attempts: 6,
      occurred_at: new Date(OCCURRED_MS + dispatch * 1_000).toISOString(),
      queued_at: new Date(OCCURRED_MS).toISOString(),
      expires_at: new Date(OCCURRED_MS + 3_600_000).toISOString(),
      attempted: status !== 'expired',
      possibly_delivered: false,
      durations_ms: { total: 1 },
      lane: 'notice',
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      worker: 'test',
      ...more,
    },
  }
}
