import type { Meter } from '@opentelemetry/api'
import type { Backlog } from '#libs/outbox'
import type { Flight } from './flight.ts'

export interface RelayMetrics {
  /** @param ackedMs epoch ms */
  readonly relayed: (flights: readonly Flight[], ackedMs: number) => void
  readonly failed: (code: string, count: number) => void
  readonly setAside: (count: number) => void
  readonly stranded: (count: number) => void
}

export interface RelayGauges {
  readonly backlog: () => Backlog
  readonly shards: () => number
}

const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600]

/** Gauges tell of this relay's shards: their sum over all relays is the whole outbox. */
export function openRelayMetrics(meter: Meter, gauges: RelayGauges): RelayMetrics {
  const relayed = meter.createCounter('courier.outbox.relayed', {
    unit: '{message}',
    description: 'Rows acknowledged by Kafka; with error.type, rows that have to wait',
  })
  const duration = meter.createHistogram('courier.outbox.relay.duration', {
    unit: 's',
    description: "From a row's insertion to Kafka's acknowledgement",
    advice: { explicitBucketBoundaries: BUCKETS_S },
  })
  const aside = meter.createCounter('courier.outbox.set_aside', {
    unit: '{message}',
    description: 'Rows that nobody could take',
  })
  const stranded = meter.createCounter('courier.outbox.stranded', {
    unit: '{message}',
    description: 'Rows found below a low-water mark; must stay 0',
  })
  meter
    .createObservableGauge('courier.outbox.pending', { unit: '{message}' })
    .addCallback((result) => result.observe(gauges.backlog().pending))
  meter
    .createObservableGauge('courier.outbox.oldest_age', { unit: 's' })
    .addCallback((result) => result.observe(gauges.backlog().oldestAgeS))
  meter
    .createObservableGauge('courier.outbox.relay.shards', { unit: '{shard}' })
    .addCallback((result) => result.observe(gauges.shards()))

  return {
    relayed: (flights, ackedMs) => {
      relayed.add(flights.length)
      for (const { createdMs } of flights) duration.record(Math.max(0, ackedMs - createdMs) / 1_000)
    },
    failed: (code, count) => relayed.add(count, { 'error.type': code }),
    setAside: (count) => aside.add(count),
    stranded: (count) => stranded.add(count),
  }
}
