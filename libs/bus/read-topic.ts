import { randomUUID } from 'node:crypto'
import { messageOf } from '#libs/errors'
import type { Logger } from '#libs/telemetry'
import { openKafkaClient } from './kafka-client.ts'
import { type Consumer, openConsumer } from './open-consumer.ts'
import type { InRecord } from './records.ts'

export interface ReadTopicOptions {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly topic: string
  /** Starts the name of the group of this one reading, which is gone afterwards. */
  readonly groupPrefix: string
  /** Epoch ms: records that Kafka dates before it are left out. */
  readonly sinceMs: number
  readonly log: Logger
  /** Records of one partition in order; the next ones of it come when this resolves. A throw ends the reading. */
  readonly onRecords: (partition: number, records: readonly InRecord[]) => void | Promise<void>
}

type Admin = ReturnType<ReturnType<typeof openKafkaClient>['kafka']['admin']>

/**
 * Reads a topic once, from an instant up to where its partitions ended when the reading began. Every record is handed over once, also
 * through rebalances and restarts of brokers. Commits nothing.
 * @throws when Kafka does not answer, or has no such topic
 */
export async function readTopic(options: ReadTopicOptions): Promise<void> {
  const { brokers, clientId, groupPrefix, log } = options
  const client = openKafkaClient({ brokers, clientId, log })
  const admin = client.kafka.admin()
  try {
    await admin.connect()
    const left = await findRanges(admin, options)
    if (left.size === 0) return
    const groupId = `${groupPrefix}${randomUUID()}`
    await readRanges(left, groupId, options)
    // What may stay behind is an empty group without offsets, which the broker forgets by itself.
    await admin.deleteGroups([groupId]).catch((error) => log.debug({ reason: messageOf(error) }, 'group not deleted'))
  } finally {
    await admin.disconnect()
    client.cut()
  }
}

interface Range {
  next: number
  readonly end: number
}

/** @returns by partition, those that have something to read */
async function findRanges(admin: Admin, { topic, sinceMs }: ReadTopicOptions): Promise<Map<number, Range>> {
  if (!(await admin.listTopics()).includes(topic)) throw new Error(`${topic}: Kafka has no such topic`)
  const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]))
  const starts = await admin.fetchTopicOffsetsByTimestamp(topic, sinceMs)
  const ranges = starts.map(
    ({ partition, offset }) => [partition, { next: Number(offset), end: ends.get(partition) ?? 0 }] as const,
  )
  return new Map(ranges.filter(([, { next, end }]) => next < end))
}

async function readRanges(left: Map<number, Range>, groupId: string, options: ReadTopicOptions): Promise<void> {
  const { topic, sinceMs } = options
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>()

  await using consumer: Consumer = await openConsumer({
    ...options,
    groupId,
    topics: [topic],
    onFatal: reject,
    onRevoked: () => undefined,
    onAssigned: (assigned) => {
      for (const { partition } of assigned) {
        const range = left.get(partition)
        if (range !== undefined) consumer.seek(topic, partition, range.next)
      }
    },
    onRecords: async (_topic, partition, records) => {
      const range = left.get(partition)
      const last = records.at(-1)
      if (range === undefined || last === undefined) return
      const { next, end } = range
      range.next = Math.max(next, last.offset + 1) // at once: a rebalance meanwhile goes on behind these
      const wanted = records.filter(
        ({ offset, timestampMs }) => offset >= next && offset < end && timestampMs >= sinceMs,
      )
      if (wanted.length > 0) await options.onRecords(partition, wanted)
      if (range.next >= end) left.delete(partition)
      if (left.size === 0) resolve()
    },
  })
  await ended
}
