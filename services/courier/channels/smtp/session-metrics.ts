import { metrics } from '@opentelemetry/api'

/** Why a session ended: by the server or the network, in the middle of a mail, or because it was used or unused for long enough. */
export type CloseReason = 'closing' | 'failed' | 'idle' | 'server' | 'worn_out'

const BUCKETS = [0, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000]

/** @returns to be told of each session that ends, with the mails that it was used for */
export function openSessionMetrics(): (mails: number, reason: CloseReason) => void {
  const histogram = metrics.getMeter('postrider').createHistogram('courier.smtp.messages_per_connection', {
    unit: '{message}',
    description: 'Mails that one connection was used for, by the reason for its end',
    advice: { explicitBucketBoundaries: BUCKETS },
  })
  return (mails, reason) => histogram.record(mails, { close_reason: reason })
}
