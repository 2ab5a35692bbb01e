import kafkajs, { type Admin } from 'kafkajs'
import { sleep } from '#libs/lifecycle'
import type { Logger } from '#libs/telemetry'
import { openKafkaClient } from './kafka-client.ts'

export interface TopicSpec {
  readonly name: string
  readonly partitions: number
  readonly replication: number
  /** Kafka's topic settings, such as `{ 'retention.ms': '604800000' }`. */
  readonly config: Readonly<Record<string, string>>
}

export interface EnsureTopicsOptions {
  readonly brokers: readonly string[]
  readonly clientId?: string
  readonly topics: readonly TopicSpec[]
  readonly log?: Logger
}

export interface EnsuredTopics {
  /** Names of the topics that did not exist. */
  readonly created: string[]
  /** One line for each value of an existing topic that differs; nothing is changed. */
  readonly mismatches: string[]
}

const LEADER_DEADLINE_MS = 30_000
const LEADER_POLL_MS = 100

/**
 * Creates the topics that do not exist and waits until each has leaders. Safe to run at the same time elsewhere.
 * @throws when Kafka does not answer, or refuses to create one
 */
export async function ensureTopics(options: EnsureTopicsOptions): Promise<EnsuredTopics> {
  const { brokers, clientId = 'postrider-topics', topics, log } = options
  const client = openKafkaClient({ brokers, clientId, log })
  const admin = client.kafka.admin()
  try {
    await admin.connect()
    const existing = new Set(await admin.listTopics())
    const missing = topics.filter(({ name }) => !existing.has(name))
    const isCreated = missing.length > 0 && (await create(admin, missing))
    await waitForLeaders(admin, topics)
    return { created: isCreated ? missing.map(({ name }) => name) : [], mismatches: await compare(admin, topics) }
  } finally {
    await admin.disconnect()
    client.cut()
  }
}

/** @returns false when someone else created one of them meanwhile */
function create(admin: Admin, topics: readonly TopicSpec[]): Promise<boolean> {
  return admin.createTopics({
    // Right after the creation the broker may not know the topic yet, which kafkajs takes for a failure.
    waitForLeaders: false,
    topics: topics.map(({ name, partitions, replication, config }) => ({
      topic: name,
      numPartitions: partitions,
      replicationFactor: replication,
      configEntries: Object.entries(config).map(([key, value]) => ({ name: key, value })),
    })),
  })
}

async function waitForLeaders(admin: Admin, topics: readonly TopicSpec[]): Promise<void> {
  for (const deadline = Date.now() + LEADER_DEADLINE_MS; ; await sleep(LEADER_POLL_MS)) {
    try {
      if (await hasLeaders(admin, topics)) return
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
    if (Date.now() > deadline) throw new Error(`topics without leaders after ${LEADER_DEADLINE_MS / 1_000} s`)
  }
}

async function hasLeaders(admin: Admin, topics: readonly TopicSpec[]): Promise<boolean> {
  const { topics: found } = await admin.fetchTopicMetadata({ topics: topics.map(({ name }) => name) })
  return found.every(({ partitions }) => partitions.length > 0 && partitions.every(({ leader }) => leader >= 0))
}

async function compare(admin: Admin, topics: readonly TopicSpec[]): Promise<string[]> {
  const { topics: found } = await admin.fetchTopicMetadata({ topics: topics.map(({ name }) => name) })
  const shapes = new Map(found.map(({ name, partitions }) => [name, partitions]))
  const configs = await readConfigs(admin, topics)
  return topics.flatMap(({ name, partitions, replication, config }) => {
    const shape = shapes.get(name) ?? []
    const pairs: [string, string, string | undefined][] = [
      ['partitions', String(partitions), String(shape.length)],
      ['replication', String(replication), String(shape[0]?.replicas.length)],
      ...Object.entries(config).map(([key, value]): [string, string, string | undefined] => [
        key,
        value,
        configs.get(name)?.get(key),
      ]),
    ]
    return pairs
      .filter(([, wanted, is]) => wanted !== is)
      .map(([what, wanted, is]) => `${name}: ${what} is ${is ?? 'unset'}, configured is ${wanted}`)
  })
}

async function readConfigs(admin: Admin, topics: readonly TopicSpec[]): Promise<Map<string, Map<string, string>>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map(({ name, config }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: Object.keys(config),
    })),
  })
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  )
}
