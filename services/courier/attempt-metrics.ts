/** One attempt in numbers: how it ended, how long its message had waited, how long each part took. */
import type { Meter } from '@opentelemetry/api'
import type { StatusData } from '#libs/messages'
import { openAttributeSets, openTally } from '#libs/telemetry'
import type { Delivery } from './delivery.ts'
import { openSmtpMetrics } from './smtp-metrics.ts'
import type { TryResult } from './try-result.ts'

const ATTEMPT_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const WAIT_BUCKETS_S = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600]
const RENDER_BUCKETS_S = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1]

type CountAttempt = (data: StatusData, delivery: Delivery, result: TryResult) => void

/** To be told of every concluded try, also of one that never reached the wire. */
export function openAttemptMetrics(meter: Meter): CountAttempt {
  const histogram = (name: string, description: string, explicitBucketBoundaries: number[]) =>
    meter.createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries } })
  const attempts = openTally(meter, 'courier.attempts', {
    unit: '{attempt}',
    description: 'Delivery attempts by outcome',
    from: ['auth', 'tls'].map((failure) => ({ channel: 'email', outcome: 'deferred', 'failure.class': failure })),
  })
  const twice = openTally(meter, 'courier.messages.possibly_sent_twice', {
    unit: '{message}',
    description: 'Attempts after one whose outcome nobody knows: the recipient may have got both',
    from: [{}],
  })
  const seconds = histogram(
    'courier.attempt.duration',
    'From the first command of an attempt to its last reply',
    ATTEMPT_BUCKETS_S,
  )
  const waited = histogram(
    'courier.queue.wait',
    'From the accepted request to the start of the first attempt',
    WAIT_BUCKETS_S,
  )
  const admitted = histogram(
    'courier.ratelimit.wait',
    'From the claim to the start of the attempt: for a place, a permit of the rate, or the breaker',
    WAIT_BUCKETS_S,
  )
  const rendered = histogram('courier.render.duration', 'Subject and bodies of one message', RENDER_BUCKETS_S)
  const countDialogue = openSmtpMetrics(meter)
  const setOf = openAttributeSets()

  return (data, delivery, { attempt, renderMs }) => {
    const { channel, status, failure_class, template_type, lane } = data
    if (renderMs !== undefined || failure_class === 'render') {
      const error = failure_class === 'render' ? failure_class : undefined
      const set = setOf(`r ${template_type} ${error}`, () => ({
        template_type,
        ...(error !== undefined && { 'error.type': error }),
      }))
      rendered.record((renderMs ?? 0) / 1_000, set)
    }
    if (attempt === undefined) return
    const key = `${channel} ${status} ${failure_class}`
    const make = () => ({
      channel,
      outcome: status,
      ...(failure_class !== undefined && { 'failure.class': failure_class }),
    })
    attempts.add(key, make)
    seconds.record(attempt.timings.sendMs / 1_000, setOf(key, make))
    const ofChannel = setOf(channel, () => ({ channel }))
    admitted.record(Math.max(0, attempt.startedAt - delivery.claimedAtMs) / 1_000, ofChannel)
    if (delivery.dispatch === 1) {
      const waitedMs = data.durations_ms.total - attempt.timings.sendMs - (attempt.timings.connectMs ?? 0)
      waited.record(
        Math.max(0, waitedMs) / 1_000,
        setOf(lane, () => ({ lane })),
      )
    }
    if (delivery.unknowns > 0 || delivery.reclaims > 0) twice.add('', () => ({}))
    if (attempt.method === undefined) countDialogue(channel, attempt)
  }
}
