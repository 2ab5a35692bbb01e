/** What the courier counts. Attribute sets are closed and shared, so that a message adds no series and no objects. */
import type { Attributes, Meter } from '@opentelemetry/api'
import type { StatusEvent } from '#libs/messages'

export interface CourierMetrics {
  readonly concluded: (event: StatusEvent) => void
  readonly lateFinish: () => void
  readonly reclaimed: (count: number) => void
  readonly setAside: () => void
}

export interface CourierGauges {
  readonly open: () => number
  readonly sending: () => number
}

const ATTEMPT_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
const TO_SENT_BUCKETS_S = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600]

export function openCourierMetrics(meter: Meter, gauges: CourierGauges): CourierMetrics {
  const attempts = meter.createCounter('courier.attempts', {
    unit: '{attempt}',
    description: 'Delivery attempts by outcome',
  })
  const attemptSeconds = meter.createHistogram('courier.attempt.duration', {
    unit: 's',
    description: 'From the first command of an attempt to its last reply',
    advice: { explicitBucketBoundaries: ATTEMPT_BUCKETS_S },
  })
  const finished = meter.createCounter('courier.messages.finished', {
    unit: '{message}',
    description: 'Messages in a terminal state',
  })
  const secondsToSent = meter.createHistogram('courier.message.time_to_sent', {
    unit: 's',
    description: 'From the accepted request to acceptance by the provider',
    advice: { explicitBucketBoundaries: TO_SENT_BUCKETS_S },
  })
  const late = meter.createCounter('courier.late_finishes', {
    unit: '{message}',
    description: 'Conclusions after a takeover',
  })
  const reclaims = meter.createCounter('courier.reclaims', {
    unit: '{message}',
    description: 'Messages taken over from a stopped courier',
  })
  const undecodable = meter.createCounter('courier.records.set_aside', {
    unit: '{record}',
    description: 'Records that could not be decoded',
  })
  meter
    .createObservableGauge('courier.messages.open', { unit: '{message}' })
    .addCallback((result) => result.observe(gauges.open()))
  meter
    .createObservableGauge('courier.messages.sending', { unit: '{message}' })
    .addCallback((result) => result.observe(gauges.sending()))

  const attributeSets = new Map<string, Attributes>()
  function attributes(key: string, make: () => Attributes): Attributes {
    let set = attributeSets.get(key)
    if (set === undefined) {
      set = make()
      attributeSets.set(key, set)
    }
    return set
  }

  return {
    concluded: ({ data }) => {
      const { channel, status, template_type, failure_class, reason } = data
      if (data.attempted) {
        const set = attributes(`a ${channel} ${status} ${failure_class}`, () => ({
          channel,
          outcome: status,
          ...(failure_class !== undefined && { 'failure.class': failure_class }),
        }))
        attempts.add(1, set)
        attemptSeconds.record((data.durations_ms.send ?? 0) / 1_000, set)
      }
      if (data.terminal) {
        finished.add(
          1,
          attributes(`f ${channel} ${template_type} ${status} ${reason}`, () => ({
            channel,
            template_type,
            status,
            ...(reason !== undefined && { reason }),
          })),
        )
      }
      if (status === 'sent') {
        secondsToSent.record(
          data.durations_ms.total / 1_000,
          attributes(`s ${channel} ${template_type}`, () => ({ channel, template_type })),
        )
      }
    },
    lateFinish: () => late.add(1),
    reclaimed: (count) => reclaims.add(count),
    setAside: () => undecodable.add(1),
  }
}
