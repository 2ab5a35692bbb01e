/** A member of a consumer group: records in order per partition, offsets that only the owner completes. */
import type { ConsumerConfig, EachBatchHandler, Consumer as KafkaConsumer } from 'kafkajs'
import { messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import type { Logger } from '#libs/telemetry'
import { type AssignedPartition, type Position, positionOf } from './assignment.ts'
import { openGroupMetrics, openJoinCount } from './bus-metrics.ts'
import { type BatchPorts, openConsumeBatch } from './consume-batch.ts'
import { type GroupMembership, openGroupMembership } from './group-membership.ts'
import { type KafkaClient, openKafkaClient } from './kafka-client.ts'
import { type OffsetCommits, openOffsetCommits } from './offset-commits.ts'
import { readOffsets } from './read-offsets.ts'

export interface Consumer {
  /**
   * Everything below `nextOffset` is done. Remembered, and committed within half a second, at a rebalance and on disposal. Ignored for a
   * partition that is not assigned, and for an offset below one that was given before.
   */
  readonly commit: (topic: string, partition: number, nextOffset: number) => void
  /** Goes on at `offset`; what was fetched for another one is dropped. Ignored for a partition that is not assigned. */
  readonly seek: (topic: string, partition: number, offset: number) => void
  /** Commits what is complete and leaves the group; within some 5 s, also when Kafka is away. */
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

export interface ConsumerOptions {
  readonly brokers: readonly string[]
  readonly groupId: string
  readonly clientId: string
  readonly topics: readonly string[]
  readonly log: Logger
  /** The consumer cannot go on and hands over nothing more. Told once; a throw ends the process. */
  readonly onFatal: (error: unknown) => void
  /**
   * Told on every join of the group, all partitions anew; a larger epoch makes everything of a smaller one void. No record comes before
   * this resolves. Without a `seek`, each partition goes on at its committed offset, or at the earliest.
   */
  readonly onAssigned: (partitions: AssignedPartition[], assignment: { epoch: number }) => void | Promise<void>
  /** The partitions are given up; they may be given back. */
  readonly onRevoked: () => void
  /** Records of one partition in order. The next ones come when this resolves; until then they wait in Kafka and the membership lasts. */
  readonly onRecords: BatchPorts['onRecords']
  /** A member that is silent for this long is out of the group. @default 10_000; not below the broker's minimum, usually 6_000 */
  readonly sessionTimeoutMs?: number
}

const SESSION_TIMEOUT_MS = 10_000
/** What a rebalance waits for members that still hold a batch; they hear of it within a heartbeat. */
const REBALANCE_TIMEOUT_MS = 30_000
const COMMIT_MS = 500
/** Bounds how late a rebalance, a seek or a stop is noticed, not how late a record is: that ends the wait. */
const FETCH_WAIT_MS = 200
/** A batch of records is at most 1 MiB: one that did not fit would come alone, and keep the other partitions waiting. */
const PARTITION_BYTES = 1_100_000
const METADATA_MAX_AGE_MS = 10_000
const RETRY_MS = 500
const FLUSH_MS = 1_500
const LEAVE_MS = 3_000

/** Resolves at once; connects and joins in the background, and waits for a Kafka that is away or topics that do not exist yet. */
export async function openConsumer(options: ConsumerOptions): Promise<Consumer> {
  const { groupId, topics } = options
  const log = options.log.child({ groupId })
  const client = openKafkaClient({ ...options, log })
  const closing = new AbortController()
  const kafka = client.kafka.consumer(groupConfig(options, closing.signal))
  const heartbeatMs = heartbeatOf(options) / 2

  const fail = (error: unknown): void => {
    if (closing.signal.aborted) return
    closing.abort()
    membership.end()
    kafka.stop().catch((failure) => log.debug({ reason: messageOf(failure) }, 'consumer not stopped'))
    // Outside of the client, which would swallow what the owner throws.
    setImmediate(() => options.onFatal(error))
  }
  const joined = openJoinCount(groupId)
  const membership = openGroupMembership({
    readOffsets: (members) => readOffsets(client, groupId, members),
    onAssigned: (partitions, assignment) => {
      joined()
      return options.onAssigned(partitions, assignment)
    },
    onRevoked: options.onRevoked,
    fail,
    log,
  })
  const { current, join } = membership
  const consumed = openGroupMetrics(groupId, current)
  const commits = openOffsetCommits(log, COMMIT_MS)
  const eachBatch = openConsumeBatch({
    current,
    onRecords: options.onRecords,
    seek: (position) => seek(kafka, position, log),
    reassign: ({ members }) => join(members),
    fail,
    consumed,
    heartbeatMs,
    log,
  })
  const started = startMember(kafka, { topics, membership, commits, eachBatch, fail, closing: closing.signal, log })

  return {
    commit: (topic, partition, nextOffset) => {
      const assignment = current()
      if (assignment !== undefined) commits.remember(assignment, topic, partition, nextOffset)
    },
    seek: (topic, partition, offset) => {
      const assignment = current()
      const position = assignment && positionOf(assignment, topic, partition)
      if (position === undefined || position.next === offset) return
      position.next = offset
      position.refused = undefined
      seek(kafka, position, log)
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort()
      const assignment = current()
      membership.end()
      commits.stop()
      if (assignment !== undefined) await Promise.race([commits.flush(assignment), pause(FLUSH_MS)])
      await leave(kafka, client, started, log)
    },
  }
}

function seek(kafka: KafkaConsumer, { topic, partition, next }: Position, log: Logger): void {
  try {
    kafka.seek({ topic, partition, offset: String(next) })
  } catch (error) {
    // Only while the consumer restarts; joining sets the position anew.
    log.debug({ topic, partition, reason: messageOf(error) }, 'not sought')
  }
}

function groupConfig(options: ConsumerOptions, closing: AbortSignal): ConsumerConfig {
  return {
    groupId: options.groupId,
    sessionTimeout: options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS,
    heartbeatInterval: heartbeatOf(options),
    rebalanceTimeout: REBALANCE_TIMEOUT_MS,
    maxWaitTimeInMs: FETCH_WAIT_MS,
    maxBytesPerPartition: PARTITION_BYTES,
    metadataMaxAge: METADATA_MAX_AGE_MS,
    allowAutoTopicCreation: false,
    retry: { retries: 8, restartOnFailure: async () => !closing.aborted },
  }
}

function heartbeatOf({ sessionTimeoutMs = SESSION_TIMEOUT_MS }: ConsumerOptions): number {
  return sessionTimeoutMs / 5
}

interface MemberPorts {
  readonly topics: readonly string[]
  readonly membership: GroupMembership
  readonly commits: OffsetCommits
  readonly eachBatch: EachBatchHandler
  readonly fail: (error: unknown) => void
  readonly closing: AbortSignal
  readonly log: Logger
}

/** Runs the member until `closing`, through outages and restarts. Resolves once it runs; says once that it cannot. */
async function startMember(kafka: KafkaConsumer, ports: MemberPorts): Promise<void> {
  const { membership, commits, closing, log } = ports
  let isAway = false
  const away = (error: unknown): void => {
    if (!isAway && !closing.aborted) log.warn({ reason: messageOf(error) }, 'not in the consumer group, trying on')
    isAway = true
  }

  kafka.on('consumer.group_join', ({ payload }) => {
    if (closing.aborted) return
    isAway = false
    membership.join(payload.memberAssignment)
  })
  kafka.on('consumer.rebalancing', () => {
    // Sent before the request to join, and so still under the generation that owns the partitions.
    const assignment = membership.current()
    if (assignment !== undefined) commits.flush(assignment).catch(ports.fail)
    membership.end()
  })
  kafka.on('consumer.crash', ({ payload: { error, restart } }) => {
    membership.end()
    if (restart) away(error)
    else ports.fail(error)
  })
  while (!closing.aborted) {
    try {
      await kafka.connect()
      await kafka.subscribe({ topics: [...ports.topics], fromBeginning: true })
      // Not resolved by kafkajs: after a rebalance in the middle it would move a position of the next generation.
      return await kafka.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: ports.eachBatch })
    } catch (error) {
      away(error)
      await sleep(RETRY_MS, closing)
    }
  }
}

async function leave(kafka: KafkaConsumer, client: KafkaClient, started: Promise<void>, log: Logger): Promise<void> {
  const left = started
    .then(() => kafka.disconnect())
    .catch((error) => log.debug({ reason: messageOf(error) }, 'consumer not disconnected'))
  await Promise.race([left, pause(LEAVE_MS)])
  client.cut()
}

/** Keeps no process alive. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
