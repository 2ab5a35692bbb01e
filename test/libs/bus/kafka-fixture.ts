/** A topic of a test's own, producers and members of a group on it, all gone after the test. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { TestContext } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import pino from 'pino'
import { type ConsumerOptions, ensureTopics, type InRecord, openConsumer, openProducer, type Producer } from '#libs/bus'
import { testKafka, waitFor } from '../../support/servers.ts'

export const log = pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' })

export interface Received extends InRecord {
  readonly partition: number
  readonly epoch: number
}

/** One member and what it was told. */
export interface Member extends AsyncDisposable {
  readonly consumer: Awaited<ReturnType<typeof openConsumer>>
  readonly records: Received[]
  /** What each join brought. */
  readonly joins: Parameters<ConsumerOptions['onAssigned']>[0][]
  /** Partitions that it holds now. */
  readonly held: () => number[]
}

export async function openTestTopic(
  t: TestContext,
  { partitions = 1, config = {} }: { partitions?: number; config?: Record<string, string> } = {},
) {
  const { brokers: list, prefix } = testKafka()
  const brokers = list.split(',')
  const topic = `${prefix}records`
  await ensureTopics({ brokers, topics: [{ name: topic, partitions, replication: 1, config }] })
  const groupId = `${prefix}group`

  return {
    brokers,
    topic,
    groupId,
    producer: async (): Promise<Producer> => {
      const producer = await openProducer({ brokers, clientId: 'test', log })
      t.after(() => producer[Symbol.asyncDispose]())
      return producer
    },
    /** @param options what differs from a member that takes everything and commits nothing */
    member: async (options: Partial<ConsumerOptions> = {}): Promise<Member> => {
      const records: Received[] = []
      const joins: Member['joins'] = []
      let held: number[] = []
      const consumer = await openConsumer({
        brokers,
        groupId,
        clientId: 'test',
        topics: [topic],
        log,
        onFatal: (error) => {
          throw error
        },
        onRecords: (_topic, partition, batch, { epoch }) => {
          records.push(...batch.map((record) => ({ ...record, partition, epoch })))
        },
        ...options,
        onAssigned: async (assigned, assignment) => {
          await options.onAssigned?.(assigned, assignment)
          joins.push(assigned)
          held = assigned.map(({ partition }) => partition)
        },
        onRevoked: () => {
          held = []
          options.onRevoked?.()
        },
      })
      const dispose = (): Promise<void> => consumer[Symbol.asyncDispose]()
      t.after(dispose)
      return { consumer, records, joins, held: () => held, [Symbol.asyncDispose]: dispose }
    },
    /** Waits until the group's committed offset of a partition is `offset`. */
    committed: (partition: number, offset: number) =>
      withAdmin(brokers, (admin) =>
        waitFor(
          async () => {
            const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
            const at = found?.partitions.find((stored) => stored.partition === partition)?.offset
            if (Number(at) !== offset) throw new Error(`committed is ${at}`)
            return true
          },
          { message: `${offset} was not committed` },
        ),
      ),
    /** Lets the partition begin at `offset`, as its retention would. */
    deleteBefore: (offset: number) =>
      withAdmin(brokers, async (admin) => {
        await admin.fetchTopicOffsets(topic) // loads the leaders, which the next call does not
        await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] })
      }),
    admin: <T>(task: (admin: ReturnType<Kafka['admin']>) => Promise<T>) => withAdmin(brokers, task),
  }
}

async function withAdmin<T>(brokers: string[], task: (admin: ReturnType<Kafka['admin']>) => Promise<T>): Promise<T> {
  const admin = new Kafka({ clientId: 'test-admin', brokers, logLevel: logLevel.NOTHING }).admin()
  await admin.connect()
  try {
    return await task(admin)
  } finally {
    await admin.disconnect()
  }
}

/** A first address of the broker that can come up late; the broker then names its own. */
export async function openDoor(t: TestContext, port: number, broker: string): Promise<void> {
  const [host, brokerPort] = broker.split(':')
  const server = createServer((socket) => {
    const onward = connect(Number(brokerPort), host)
    for (const end of [socket, onward]) end.on('error', () => socket.destroy() && onward.destroy())
    socket.pipe(onward).pipe(socket)
  }).listen(port, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
}

/** Records with these values; the key is the value. */
export function recordsOf(...values: string[]) {
  return values.map((value) => ({ key: value, value, headers: { name: value } }))
}

export function valuesOf(records: readonly InRecord[]): string[] {
  return records.map(({ value }) => String(value))
}
