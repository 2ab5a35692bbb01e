/** The status event of a message that an operator cancelled, as a courier would store it; the ledger puts in what it knows better. */
import { asMessageId, type StatusData } from '#libs/messages'
import { newTraceparent } from '#libs/telemetry'
import type { Target } from './action-repository.ts'

export interface CancelFacts {
  /** Who publishes facts: this instance. */
  readonly worker: string
  /** Tries that count, where no courier has told yet. */
  readonly maxAttempts: number
}

export function cancelEvent(target: Target, { worker, maxAttempts }: CancelFacts, nowMs: number): string {
  const fresh = newTraceparent()
  // The message's own trace; the span that it began with is known to the ledger at best.
  const traceparent = target.trace_id === null ? fresh : `00-${target.trace_id}${fresh.slice(35)}`
  const data: StatusData = {
    message_id: asMessageId(target.id),
    project_id: target.project_id,
    template_type: target.template_type,
    channel: target.channel,
    status: 'cancelled',
    severity: 'permanent',
    terminal: true,
    dispatch: target.dispatch,
    attempt: target.charged,
    max_attempts: maxAttempts,
    occurred_at: new Date(nowMs).toISOString(),
    queued_at: target.created_at.toISOString(),
    expires_at: target.expires_at.toISOString(),
    reason: 'operator',
    decision: 'cancel',
    attempted: false,
    possibly_delivered: false,
    durations_ms: { total: Math.max(0, nowMs - target.created_at.getTime()) },
    ...(target.recipient_domain !== null && { recipient_domain: target.recipient_domain }),
    ...(target.identity_id !== null && { identity_id: target.identity_id }),
    ...(target.locale !== null && { locale: target.locale }),
    lane: target.lane,
    trace_id: traceparent.slice(3, 35),
    worker,
  }
  return JSON.stringify({ traceparent, createdBy: traceparent, data })
}
