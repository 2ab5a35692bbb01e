import { Kafka, logLevel } from 'kafkajs'

export interface TopicRecord {
  readonly partition: number
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Record<string, Buffer | undefined>
}

/** Everything on a topic, read through a group of its own up to the ends of its partitions. */
export async function readTopic(brokers: string, topic: string): Promise<TopicRecord[]> {
  const kafka = new Kafka({ clientId: 'read-topic', brokers: brokers.split(','), logLevel: logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const ends = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  const left = new Map(
    ends.filter(({ low, high }) => low !== high).map(({ partition, high }) => [partition, Number(high)]),
  )
  const records: TopicRecord[] = []
  if (left.size === 0) return records

  const consumer = kafka.consumer({ groupId: `read-topic-${crypto.randomUUID()}`, maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer.on('consumer.crash', ({ payload }) => reject(payload.error))
    consumer
      .run({
        autoCommit: false,
        eachMessage: async ({ partition, message }) => {
          const { offset, key, value, headers } = message
          records.push({ partition, offset, key, value, headers: headers as TopicRecord['headers'] })
          if (Number(offset) + 1 >= (left.get(partition) ?? 0)) left.delete(partition)
          if (left.size === 0) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return records
}
