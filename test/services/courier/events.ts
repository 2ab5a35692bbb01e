/** Status events as couriers make them. */
import {
  DEFAULT_PROJECT_ID,
  type EventState,
  isTerminal,
  type MessageId,
  type StatusEvent,
  statusEventId,
} from '#libs/messages'
import { TRACEPARENT } from './deliveries.ts'

export function statusEvent(id: MessageId, status: EventState, dispatch: number): StatusEvent {
  const at = new Date().toISOString()
  return {
    id: statusEventId(id, dispatch, status),
    traceparent: TRACEPARENT,
    createdBy: TRACEPARENT,
    data: {
      message_id: id,
      project_id: DEFAULT_PROJECT_ID,
      template_type: 'login_code_valid',
      channel: 'email',
      status,
      severity: status === 'sent' ? 'none' : 'temporary',
      terminal: isTerminal(status),
      dispatch,
      attempt: dispatch,
      max_attempts: 6,
      occurred_at: at,
      queued_at: at,
      expires_at: at,
      decision: status === 'deferred' ? 'retry' : status,
      attempted: true,
      possibly_delivered: false,
      durations_ms: { total: 40 },
      lane: 'urgent',
      trace_id: TRACEPARENT.slice(3, 35),
      worker: 'courier-1',
    },
  }
}
