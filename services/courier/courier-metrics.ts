/** What the courier counts. Attribute sets are closed and shared, so that a message adds no series and no objects. */
import type { Attributes, Meter } from '@opentelemetry/api'
import type { OutRecord } from '#libs/bus'
import type { StatusData, StatusEvent } from '#libs/messages'
import { openAttributeSets, openTally, type Tally } from '#libs/telemetry'
import { openAttemptMetrics } from './attempt-metrics.ts'
import type { Delivery } from './delivery.ts'
import type { TryResult } from './try-result.ts'

export interface CourierMetrics {
  readonly concluded: (event: StatusEvent, delivery: Delivery, result: TryResult) => void
  readonly published: (records: readonly { readonly record: OutRecord }[]) => void
  readonly notPublished: (code: string, count: number) => void
  readonly lateFinish: () => void
  readonly reclaimed: (count: number) => void
  readonly setAside: () => void
  /** A record came again whose message was concluded, or is with the ledger. */
  readonly suppressed: () => void
}

export interface CourierGauges {
  readonly open: () => number
  readonly sending: () => number
  /** Epoch ms at which the oldest open message was asked for; undefined when none is open. */
  readonly oldestMs: () => number | undefined
}

const TO_SENT_BUCKETS_S = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600]
const ATTEMPTS_BUCKETS = [1, 2, 3, 4, 5, 6, 8, 10]

export function openCourierMetrics(meter: Meter, gauges: CourierGauges): CourierMetrics {
  const countAttempt = openAttemptMetrics(meter)
  const countFinished = openFinishedMetrics(meter)
  const published = openTally(meter, 'courier.status.published', {
    unit: '{event}',
    description: 'Status events acknowledged by Kafka, by type; with error.type, those that have to be published again',
  })
  const late = plainTally(meter, 'courier.late_finishes', '{message}', 'Conclusions after a takeover')
  const reclaims = plainTally(meter, 'courier.reclaims', '{message}', 'Messages taken over from a stopped courier')
  const undecodable = plainTally(meter, 'courier.records.set_aside', '{record}', 'Records that could not be decoded')
  const duplicates = openTally(meter, 'courier.duplicates.suppressed', {
    unit: '{message}',
    description: 'Messages that came again and were not sent again',
    from: [{ stage: 'courier' }],
  })
  observeOpen(meter, gauges)

  return {
    concluded: ({ data }, delivery, result) => {
      countAttempt(data, delivery, result)
      if (data.terminal) countFinished(data)
    },
    published: (records) => {
      for (const { record } of records) {
        const type = record.headers.ce_type ?? ''
        published.add(type, () => ({ type }))
      }
    },
    notPublished: (code, count) => published.add(`error ${code}`, () => ({ 'error.type': code }), count),
    lateFinish: () => late.add('', none),
    reclaimed: (count) => reclaims.add('', none, count),
    setAside: () => undecodable.add('', none),
    suppressed: () => duplicates.add('courier', none),
  }
}

function openFinishedMetrics(meter: Meter): (data: StatusData) => void {
  const finished = openTally(meter, 'courier.messages.finished', {
    unit: '{message}',
    description: 'Messages in a terminal state',
  })
  const secondsToSent = meter.createHistogram('courier.message.time_to_sent', {
    unit: 's',
    description: 'From the accepted request to acceptance by the provider',
    advice: { explicitBucketBoundaries: TO_SENT_BUCKETS_S },
  })
  const attempts = meter.createHistogram('courier.message.attempts', {
    unit: '{attempt}',
    description: 'Tries, of messages in a terminal state',
    advice: { explicitBucketBoundaries: ATTEMPTS_BUCKETS },
  })
  const setOf = openAttributeSets()
  return ({ channel, status, template_type, failure_class, reason, dispatch, durations_ms }) => {
    finished.add(`${channel} ${template_type} ${status} ${reason} ${failure_class}`, () => ({
      channel,
      template_type,
      status,
      ...(reason !== undefined && { reason }),
      ...(failure_class !== undefined && { 'failure.class': failure_class }),
    }))
    attempts.record(
      dispatch,
      setOf(`${channel} ${status}`, () => ({ channel, status })),
    )
    if (status === 'sent') {
      secondsToSent.record(
        Math.max(0, durations_ms.total) / 1_000,
        setOf(`sent ${channel} ${template_type}`, () => ({ channel, template_type })),
      )
    }
  }
}

function observeOpen(meter: Meter, { open, sending, oldestMs }: CourierGauges): void {
  const gauges = [
    ['courier.messages.open', '{message}', 'Messages that this courier has and that are not concluded', open],
    ['courier.messages.sending', '{message}', 'Attempts under way', sending],
    [
      'courier.messages.oldest_open_age',
      's',
      'Since the oldest of the open messages was asked for',
      () => ageS(oldestMs()),
    ],
  ] as const
  for (const [name, unit, description, read] of gauges)
    meter.createObservableGauge(name, { unit, description }).addCallback((result) => result.observe(read()))
}

function ageS(sinceMs: number | undefined): number {
  return sinceMs === undefined ? 0 : Math.max(0, Date.now() - sinceMs) / 1_000
}

/** One series, there from the start. */
function plainTally(meter: Meter, name: string, unit: string, description: string): Tally {
  return openTally(meter, name, { unit, description, from: [{}] })
}

function none(): Attributes {
  return {}
}
