import type { Admin } from 'kafkajs'
import type { AssignedPartition, Assignment } from './assignment.ts'
import type { KafkaClient } from './kafka-client.ts'

/**
 * Asks the broker where the group stands, over a connection that lives as long as the question: joins are rare. The first offset
 * that a consumer happens to see is no answer: after a rebalance kafkajs may hand over a batch of the time before.
 */
export async function readOffsets(
  { kafka }: KafkaClient,
  groupId: string,
  members: Assignment['members'],
): Promise<AssignedPartition[]> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    const topics = Object.keys(members)
    const found = await Promise.all(topics.map((topic) => readTopic(admin, groupId, topic, members[topic] ?? [])))
    return found.flat()
  } finally {
    await admin.disconnect()
  }
}

async function readTopic(
  admin: Admin,
  groupId: string,
  topic: string,
  partitions: readonly number[],
): Promise<AssignedPartition[]> {
  const [bounds, groups] = await Promise.all([
    admin.fetchTopicOffsets(topic),
    admin.fetchOffsets({ groupId, topics: [topic] }),
  ])
  const boundsOf = new Map(
    bounds.map(({ partition, low, high }) => [partition, { low: Number(low), high: Number(high) }]),
  )
  const committed = new Map(groups[0]?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
  return partitions.map((partition) => ({
    topic,
    partition,
    // kafkajs commits -2 where it had to start over from the earliest offset.
    committed: Math.max(-1, committed.get(partition) ?? -1),
    earliest: boundsOf.get(partition)?.low ?? 0,
    end: boundsOf.get(partition)?.high ?? 0,
  }))
}
