/** Span events that say what follows a try. On `process`, which is no error: what failed was the attempt, and that was dealt with. */
import type { Span } from '@opentelemetry/api'
import type { Decision } from '#libs/delivery'
import type { Delivery } from './delivery.ts'
import { isNextElsewhere } from './next-provider.ts'
import type { TryResult } from './try-result.ts'

export function recordOutcome(span: Span, delivery: Delivery, decision: Decision, { failure }: TryResult): void {
  const reason = failure?.class ?? 'ambiguous'
  switch (decision.kind) {
    case 'sent':
      return
    case 'retry':
      return recordRetry(span, delivery, decision.atMs, reason)
    case 'abandon':
      return void span.addEvent('courier.abandoned', { reason: decision.reason, class: reason })
    case 'expire':
      return void span.addEvent('courier.expired')
    case 'cancel':
      return void span.addEvent('courier.cancelled')
    case 'supersede':
      return void span.addEvent('courier.superseded')
    case 'hold':
      return void span.addEvent('courier.held', { reason })
  }
}

function recordRetry(span: Span, delivery: Delivery, atMs: number, reason: string): void {
  const { via } = delivery
  span.addEvent('courier.retry_scheduled', {
    delay_ms: Math.max(0, Math.round(atMs - Date.now())),
    due_at: new Date(atMs).toISOString(),
    reason,
  })
  if (via?.next !== undefined && isNextElsewhere(delivery))
    span.addEvent('courier.failover', { from: via.provider, to: via.next.provider })
}
