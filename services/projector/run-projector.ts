/** Topics in, read model out: takes what waits, applies it, tells Kafka how far it is (for lag only). */
import { type InRecord, openConsumer, type Producer } from '#libs/bus'
import type { Database } from '#libs/database'
import { messageOf } from '#libs/errors'
import type { Topics } from '#libs/messages'
import type { Telemetry } from '#libs/telemetry'
import { applyEntries } from './apply-entries.ts'
import type { ProjectorConfig } from './config.ts'
import { openDeadLetter } from './dead-letter.ts'
import { decodeRecord } from './decode-record.ts'
import { type Entry, openPartitionQueues } from './partition-queues.ts'
import { openPositions } from './positions.ts'
import { openProjectorMetrics } from './projector-metrics.ts'
import { recordApplied } from './projector-tracing.ts'
import { forgetChanges } from './read-model.ts'
import { watchUnaccounted } from './watch-unaccounted.ts'

export interface ProjectorParts {
  readonly config: Pick<ProjectorConfig, 'instance' | 'kafka'>
  readonly telemetry: Telemetry
  readonly database: Database
  readonly producer: Producer
  readonly topics: Topics
  readonly stopping: AbortSignal
  /** Told each time the group has assigned partitions and their stored offsets are loaded. */
  readonly onAssigned?: () => void
}

/** Records per transaction: enough to make the statements cheap, few enough to show in well under a second. */
const BATCH = 800
/** Records that wait in memory, some 10 MB of them. */
const CAPACITY = 4_000
const FORGET_MS = 60_000

/** Resolves when told to stop and the batch under way is applied. Rejects when the consumer cannot go on. */
export async function runProjector(parts: ProjectorParts): Promise<void> {
  const { config, telemetry, database, topics, stopping } = parts
  const { log, meter, tracer } = telemetry
  const group = `${config.kafka.topic_prefix}postrider.projector`
  const queues = openPartitionQueues({ capacity: CAPACITY, decode: (topic, record) => decode(topic, record, topics) })
  const metrics = openProjectorMetrics(meter, group, queues.queues)
  const fatal = Promise.withResolvers<never>()
  const positions = openPositions({
    database,
    queues,
    stopping,
    log,
    seek: (topic, partition, offset) => consumer.seek(topic, partition, offset),
  })

  await using consumer = await openConsumer({
    brokers: config.kafka.brokers,
    groupId: group,
    clientId: config.instance,
    topics: [topics.messages, topics.notices, topics.status],
    log,
    onFatal: fatal.reject,
    onAssigned: async (assigned) => {
      queues.close()
      await Promise.all(assigned.map(positions.assign))
      parts.onAssigned?.()
    },
    onRevoked: () => queues.close(),
    onRecords: (topic, partition, records) => queues.add(topic, partition, records),
  })
  stopping.addEventListener('abort', queues.stop, { once: true })

  const watching = watchUnaccounted({ database, log, stopping, onFound: metrics.unaccounted })
  const ports = { database, stopping, log, deadLetter: openDeadLetter(parts, metrics.skipped) }
  for (let forgotAtMs = 0; !stopping.aborted; ) {
    await Promise.race([queues.ready(), fatal.promise])
    const entries = queues.take(BATCH)
    if (entries.length === 0) continue
    const startedAtMs = performance.timeOrigin + performance.now()
    const applied = await applyEntries(entries, ports)
    const endedAtMs = performance.timeOrigin + performance.now()
    const touched = [...new Set(entries.map(({ queue }) => queue))]
    if (applied === 'moved') await Promise.all(touched.map(positions.reload))
    if (applied !== 'applied') continue
    for (const { topic, partition, next, active } of touched) if (active) consumer.commit(topic, partition, next)
    metrics.applied(entries, startedAtMs, endedAtMs)
    if (telemetry.tracing) recordApplied(entries, startedAtMs, endedAtMs, { tracer, group })
    if (endedAtMs - forgotAtMs < FORGET_MS) continue
    forgotAtMs = endedAtMs
    await forgetChanges(database).catch((error) => log.warn({ reason: messageOf(error) }, 'old changes not forgotten'))
  }
  await watching
}

function decode(topic: string, record: InRecord, topics: Topics): Pick<Entry, 'event' | 'problem'> {
  try {
    return { event: decodeRecord(topic, record, topics), problem: '' }
  } catch (error) {
    return { event: undefined, problem: messageOf(error) }
  }
}
