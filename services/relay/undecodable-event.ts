/** The event of a message that nobody could take: it ends as abandoned before any try. */
import { type MessageId, type StatusEvent, statusEventId } from '#libs/messages'
import { traceIdOf } from '#libs/telemetry'

export interface Undecodable {
  readonly id: MessageId
  readonly projectId: string
  readonly templateType: string
  readonly channel: string
  readonly lane: string
  readonly traceparent: string
  readonly queuedAt: Date
  readonly expiresAt: Date
  readonly failedAt: Date
  /** Free of addresses and codes. */
  readonly error: string
  readonly worker: string
}

export function undecodableEvent(message: Undecodable): StatusEvent {
  const { id, traceparent, queuedAt, failedAt } = message
  return {
    id: statusEventId(id, 0, 'abandoned'),
    traceparent,
    createdBy: traceparent,
    data: {
      message_id: id,
      project_id: message.projectId,
      template_type: message.templateType,
      channel: message.channel,
      status: 'abandoned',
      severity: 'permanent',
      terminal: true,
      dispatch: 0,
      attempt: 0,
      max_attempts: 0,
      occurred_at: failedAt.toISOString(),
      queued_at: queuedAt.toISOString(),
      expires_at: message.expiresAt.toISOString(),
      reason: 'undecodable',
      decision: 'abandon',
      error: message.error,
      attempted: false,
      possibly_delivered: false,
      durations_ms: { total: Math.max(0, failedAt.getTime() - queuedAt.getTime()) },
      lane: message.lane,
      trace_id: traceIdOf(traceparent),
      worker: message.worker,
    },
  }
}
