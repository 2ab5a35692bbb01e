import type { Attributes, Meter } from '@opentelemetry/api'
import type { Backlog } from '#libs/outbox'
import { openTally } from '#libs/telemetry'
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
  const relayed = openTally(meter, 'courier.outbox.relayed', {
    unit: '{message}',
    description: 'Rows acknowledged by Kafka; with error.type, rows that have to wait',
    from: [{}],
  })
  const duration = meter.createHistogram('courier.outbox.relay.duration', {
    unit: 's',
    description: "From a row's insertion to Kafka's acknowledgement",
    advice: { explicitBucketBoundaries: BUCKETS_S },
  })
  const aside = openTally(meter, 'courier.outbox.set_aside', {
    unit: '{message}',
    description: 'Rows that nobody could take',
    from: [{}],
  })
  const stranded = openTally(meter, 'courier.outbox.stranded', {
    unit: '{message}',
    description: 'Rows found below a low-water mark; must stay 0',
    from: [{}],
  })
  const observed = [
    ['courier.outbox.pending', '{message}', "Rows of this relay's shards that wait", () => gauges.backlog().pending],
    ['courier.outbox.oldest_age', 's', 'Age of the oldest of them', () => gauges.backlog().oldestAgeS],
    ['courier.outbox.relay.shards', '{shard}', 'Shards that this relay has', gauges.shards],
  ] as const
  for (const [name, unit, description, read] of observed)
    meter.createObservableGauge(name, { unit, description }).addCallback((result) => result.observe(read()))

  return {
    relayed: (flights, ackedMs) => {
      relayed.add('', none, flights.length)
      for (const { createdMs } of flights) duration.record(Math.max(0, ackedMs - createdMs) / 1_000)
    },
    failed: (code, count) => relayed.add(code, () => ({ 'error.type': code }), count),
    setAside: (count) => aside.add('', none, count),
    stranded: (count) => stranded.add('', none, count),
  }
}

function none(): Attributes {
  return {}
}
