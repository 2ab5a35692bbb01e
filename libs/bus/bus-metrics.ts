/** What is counted of Kafka, per batch and never per record. Names as the semantic conventions for messaging have them. */
import { type Attributes, metrics } from '@opentelemetry/api'
import { isCoded } from '#libs/errors'
import { openAttributeSets } from '#libs/telemetry'
import type { Assignment } from './assignment.ts'
import type { OutRecord } from './records.ts'

/** To be told of every batch that is handed over. */
type Consumed = (topic: string, count: number) => void

type Send = (topic: string, partition: number, records: readonly OutRecord[]) => Promise<void>

const BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** `send`, counted: how many records, how long until they were acknowledged. */
export function measureSends(send: Send): Send {
  const meter = metrics.getMeter('postrider')
  const sent = meter.createCounter('messaging.client.sent.messages', {
    unit: '{message}',
    description: 'Records given to Kafka; with error.type, those it did not acknowledge',
  })
  const duration = meter.createHistogram('messaging.client.operation.duration', {
    unit: 's',
    description: 'From the call to the acknowledgement by all replicas in sync',
    advice: { explicitBucketBoundaries: BUCKETS_S },
  })
  const setOf = openAttributeSets()
  function note(topic: string, count: number, startedMs: number, error?: string): void {
    const attributes = setOf(`${topic} ${error}`, () => ({
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.destination.name': topic,
      ...(error !== undefined && { 'error.type': error }),
    }))
    sent.add(count, attributes)
    duration.record((performance.now() - startedMs) / 1_000, attributes)
  }
  return async (topic, partition, records) => {
    const startedMs = performance.now()
    try {
      await send(topic, partition, records)
      note(topic, records.length, startedMs)
    } catch (error) {
      note(topic, records.length, startedMs, isCoded(error) ? error.code : '_OTHER')
      throw error
    }
  }
}

/** Counts what the group's member is handed, and tells how far it is behind: records of its partitions that are not committable yet. */
export function openGroupMetrics(group: string, current: () => Assignment | undefined): Consumed {
  const meter = metrics.getMeter('postrider')
  const consumed = meter.createCounter('messaging.client.consumed.messages', {
    unit: '{message}',
    description: 'Records handed over to this member, each time they are',
  })
  const lag = meter.createObservableGauge('kafka.consumer_group.lag_sum', {
    unit: '{record}',
    description: "Records of this member's partitions that are not done; the sum over all members is the group's",
  })
  const setOf = openAttributeSets()
  /** What is not told any more stays as it was told last, and would count twice beside the member that has it now. */
  const told = new Set<string>()
  lag.addCallback((result) => {
    const behind = lagByTopic(current())
    for (const topic of behind.keys()) told.add(topic)
    for (const topic of told) {
      const attributes = { 'messaging.consumer.group.name': group, 'messaging.destination.name': topic }
      result.observe(behind.get(topic) ?? 0, attributes)
    }
  })
  const attributesOf = (topic: string): Attributes => ({
    'messaging.system': 'kafka',
    'messaging.operation.name': 'poll',
    'messaging.destination.name': topic,
    'messaging.consumer.group.name': group,
  })
  return (topic, count) =>
    consumed.add(
      count,
      setOf(topic, () => attributesOf(topic)),
    )
}

/** To be called each time the group has divided its partitions anew and this member has its share. */
export function openJoinCount(group: string): () => void {
  const joins = metrics.getMeter('postrider').createCounter('kafka.consumer_group.joins', {
    unit: '{join}',
    description: 'Times that this member got its partitions: after its start, and after every change of the group',
  })
  const attributes = { 'messaging.consumer.group.name': group }
  return () => joins.add(1, attributes)
}

export function lagByTopic(assignment: Assignment | undefined): Map<string, number> {
  const behind = new Map<string, number>()
  for (const { topic, end, start, committable } of assignment?.positions.values() ?? []) {
    behind.set(topic, (behind.get(topic) ?? 0) + Math.max(0, end - Math.max(start, committable)))
  }
  return behind
}
