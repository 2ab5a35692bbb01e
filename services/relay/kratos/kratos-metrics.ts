import type { Meter } from '@opentelemetry/api'
import type { StatusEvent } from '#libs/messages'
import type { ReservedRow } from './publish-rows.ts'
import type { Backlog } from './source-repository.ts'

export interface KratosMetrics {
  /** @param ackedMs epoch ms */
  readonly relayed: (rows: readonly ReservedRow[], ackedMs: number) => void
  readonly failed: (code: string, count: number) => void
  readonly setAside: (count: number) => void
  readonly writtenBack: (events: readonly StatusEvent[], atMs: number) => void
  readonly refused: () => void
  readonly changedByOthers: (count: number) => void
}

const SOURCE = { source: 'kratos' }
const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600]

/** The names of the other relay where they mean the same. Gauges tell of the whole source, whichever relay is asked: take the largest. */
export function openKratosMetrics(meter: Meter, backlog: () => Backlog): KratosMetrics {
  const advice = { explicitBucketBoundaries: BUCKETS_S }
  const relayed = meter.createCounter('courier.outbox.relayed', {
    unit: '{message}',
    description: 'Rows acknowledged by Kafka; with error.type, rows that have to wait',
  })
  const duration = meter.createHistogram('courier.outbox.relay.duration', {
    unit: 's',
    description: "From a row's insertion to Kafka's acknowledgement",
    advice,
  })
  const aside = meter.createCounter('courier.outbox.set_aside', {
    unit: '{message}',
    description: 'Rows that nobody could take',
  })
  const written = meter.createCounter('courier.kratos.written_back', {
    unit: '{event}',
    description: "Statuses written into Kratos' tables; with error.type, statuses its database refused",
  })
  const lag = meter.createHistogram('courier.kratos.write_back.lag', {
    unit: 's',
    description: "From an attempt's end to Kratos' own tables",
    advice,
  })
  const others = meter.createCounter('courier.kratos.changed_by_others', {
    unit: '{message}',
    description: 'Rows that another courier handled or changed; must stay 0',
  })
  const gauges = [
    ['courier.outbox.pending', '{message}', () => backlog().pending],
    ['courier.outbox.oldest_age', 's', () => backlog().oldestAgeS],
    ['courier.kratos.under_way', '{message}', () => backlog().underWay],
    ['courier.kratos.overdue', '{message}', () => backlog().overdue],
  ] as const
  for (const [name, unit, read] of gauges) {
    meter.createObservableGauge(name, { unit }).addCallback((result) => result.observe(read(), SOURCE))
  }

  return {
    relayed: (rows, ackedMs) => {
      relayed.add(rows.length, SOURCE)
      for (const { row } of rows) duration.record(Math.max(0, ackedMs - row.created_at.getTime()) / 1_000, SOURCE)
    },
    failed: (code, count) => relayed.add(count, { ...SOURCE, 'error.type': code }),
    setAside: (count) => aside.add(count, SOURCE),
    writtenBack: (events, atMs) => {
      written.add(events.length)
      for (const { data } of events) lag.record(Math.max(0, atMs - Date.parse(data.occurred_at)) / 1_000)
    },
    refused: () => written.add(1, { 'error.type': 'refused' }),
    changedByOthers: (count) => others.add(count),
  }
}
