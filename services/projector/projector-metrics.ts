import type { Attributes, Meter } from '@opentelemetry/api'
import { openTally } from '#libs/telemetry'
import type { Entry, PartitionQueue } from './partition-queues.ts'

export interface ProjectorMetrics {
  readonly applied: (entries: readonly Entry[], startedAtMs: number, endedAtMs: number) => void
  readonly skipped: () => void
  /** Messages whose life is over and whose end nobody told. */
  readonly unaccounted: (count: number) => void
}

const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** @param queues asked at each collection: how long the oldest waiting record of a partition has waited since it was written */
export function openProjectorMetrics(
  meter: Meter,
  group: string,
  queues: () => Iterable<PartitionQueue>,
): ProjectorMetrics {
  const applied = openTally(meter, 'courier.projector.applied', {
    unit: '{record}',
    description: 'Records applied to the read model, by topic',
  })
  const duration = meter.createHistogram('messaging.process.duration', {
    unit: 's',
    description: 'One batch, from its first statement to its commit',
    advice: { explicitBucketBoundaries: BUCKETS_S },
  })
  const undecodable = openTally(meter, 'courier.projector.records.set_aside', {
    unit: '{record}',
    description: 'Records that could not be decoded or stored',
    from: [{}],
  })
  let unaccounted = 0
  meter
    .createObservableGauge('courier.messages.unaccounted', {
      unit: '{message}',
      description: 'Messages ten minutes past their expiry without a terminal state, up to 1,000; must stay 0',
    })
    .addCallback((result) => result.observe(unaccounted))
  const told = new Map<string, Attributes>()
  meter
    .createObservableGauge('courier.projector.lag_time', {
      unit: 's',
      description: 'Age of the oldest record that was read and is not applied yet; 0 when none waits',
    })
    .addCallback((result) => {
      for (const { attributes, lagS } of lagOf(queues(), told)) result.observe(lagS, attributes)
    })

  const process = { 'messaging.system': 'kafka', 'messaging.consumer.group.name': group }

  return {
    applied: (entries, startedAtMs, endedAtMs) => {
      duration.record((endedAtMs - startedAtMs) / 1_000, process)
      const counts = new Map<string, number>()
      for (const { queue } of entries) counts.set(queue.topic, (counts.get(queue.topic) ?? 0) + 1)
      for (const [topic, count] of counts) applied.add(topic, () => ({ 'messaging.destination.name': topic }), count)
    },
    skipped: () => undecodable.add('', () => ({})),
    unaccounted: (count) => {
      unaccounted = count
    },
  }
}

interface Lag {
  readonly attributes: Attributes
  readonly lagS: number
}

/** A partition that another projector has by now stays as it was told last, unless it is told: 0. */
function lagOf(queues: Iterable<PartitionQueue>, told: Map<string, Attributes>): Lag[] {
  const nowMs = Date.now()
  const lags = new Map<string, number>()
  for (const { topic, partition, waiting } of queues) {
    const key = `${topic}/${partition}`
    const [oldest] = waiting
    lags.set(key, oldest === undefined ? 0 : Math.max(0, nowMs - oldest.record.timestampMs) / 1_000)
    if (!told.has(key)) told.set(key, { 'messaging.destination.name': topic, partition: String(partition) })
  }
  return [...told].map(([key, attributes]) => ({ attributes, lagS: lags.get(key) ?? 0 }))
}
