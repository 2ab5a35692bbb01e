import type { Attributes, Meter } from '@opentelemetry/api'
import type { Entry, PartitionQueue } from './partition-queues.ts'

export interface ProjectorMetrics {
  readonly applied: (entries: readonly Entry[], startedAtMs: number, endedAtMs: number) => void
  readonly skipped: () => void
}

const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** @param queues asked at each collection: how long the oldest waiting record of a partition has waited since it was written */
export function openProjectorMetrics(meter: Meter, queues: () => Iterable<PartitionQueue>): ProjectorMetrics {
  const consumed = meter.createCounter('messaging.client.consumed.messages', {
    unit: '{message}',
    description: 'Records applied to the read model',
  })
  const duration = meter.createHistogram('messaging.process.duration', {
    unit: 's',
    description: 'One batch, from its first statement to its commit',
    advice: { explicitBucketBoundaries: BUCKETS_S },
  })
  const undecodable = meter.createCounter('courier.projector.records.set_aside', {
    unit: '{record}',
    description: 'Records that could not be decoded or stored',
  })
  meter
    .createObservableGauge('courier.projector.lag_time', {
      unit: 's',
      description: 'Age of the oldest record that was read and is not applied yet; 0 when none waits',
    })
    .addCallback((result) => {
      const nowMs = Date.now()
      for (const { topic, partition, waiting } of queues()) {
        const oldest = waiting[0]
        const lagMs = oldest === undefined ? 0 : Math.max(0, nowMs - oldest.record.timestampMs)
        result.observe(lagMs / 1_000, { 'messaging.destination.name': topic, partition: String(partition) })
      }
    })

  const attributeSets = new Map<string, Attributes>()
  function attributesOf(topic: string): Attributes {
    let set = attributeSets.get(topic)
    if (set === undefined) {
      set = { 'messaging.system': 'kafka', 'messaging.destination.name': topic }
      attributeSets.set(topic, set)
    }
    return set
  }

  return {
    applied: (entries, startedAtMs, endedAtMs) => {
      duration.record((endedAtMs - startedAtMs) / 1_000)
      const counts = new Map<string, number>()
      for (const { queue } of entries) counts.set(queue.topic, (counts.get(queue.topic) ?? 0) + 1)
      for (const [topic, count] of counts) consumed.add(count, attributesOf(topic))
    },
    skipped: () => undecodable.add(1),
  }
}
