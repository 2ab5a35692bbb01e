/** Rows of a real Kratos to Kafka, and what became of them back into its tables. Wires the parts and runs them until told to stop. */
import type { Database } from '#libs/database'
import { messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import type { Sealer, Topics } from '#libs/messages'
import type { Telemetry } from '#libs/telemetry'
import type { Send } from '../partition-lines.ts'
import { awaitDrained } from './await-drained.ts'
import { beginSource, drainingText, type SourceMode } from './begin-source.ts'
import type { KratosRelayConfig } from './config.ts'
import { consumeStatus } from './consume-status.ts'
import { type KratosMetrics, openKratosMetrics } from './kratos-metrics.ts'
import { openKratosTracing } from './kratos-tracing.ts'
import { type Backlog, forgetOld, measureSource, readSource, type SourceState } from './source-repository.ts'
import type { KratosColumns } from './source-schema.ts'
import { takeContinually } from './take-continually.ts'
import type { TakePorts } from './take-rows.ts'
import { openCourierWatch } from './watch-couriers.ts'

export interface KratosRelayParts {
  readonly config: Pick<KratosRelayConfig, 'instance' | 'kafka'> & { readonly mode: SourceMode }
  readonly topics: Topics
  readonly sealer: Sealer
  readonly database: Database
  readonly columns: KratosColumns
  readonly producer: { readonly send: Send }
  readonly telemetry: Pick<Telemetry, 'log' | 'meter' | 'tracer' | 'tracing' | 'setReady'>
  readonly stopping: AbortSignal
}

const LOOK_MS = 5_000
const FORGET_MS = 3_600_000

/**
 * Resolves when told to stop and the pass under way has ended; with `drain`, when nothing is under way any more.
 * @throws when a drain is stopped before its end, or the consumer cannot go on
 */
export async function runKratosRelay(parts: KratosRelayParts): Promise<void> {
  const { config, database, telemetry } = parts
  const source = await beginSource(database, config.mode, telemetry.log, parts.stopping)
  if (source !== undefined) await runSource(parts, source)
}

async function runSource(parts: KratosRelayParts, source: SourceState): Promise<void> {
  const { config, database, telemetry } = parts
  const { log } = telemetry
  const ended = new AbortController()
  const stopping = AbortSignal.any([parts.stopping, ended.signal])
  const fatal = Promise.withResolvers<never>()
  let backlog: Backlog = { pending: 0, oldestAgeS: 0, underWay: 0, overdue: 0 }
  let { drainingSince } = source
  let isAssigned = false
  const metrics = openKratosMetrics(telemetry.meter, () => backlog)
  const watch = openCourierWatch({ database, log, onFound: metrics.changedByOthers, now: () => performance.now() })
  const taking = takeContinually(takePortsOf(parts, metrics), stopping)
  telemetry.setReady(() => {
    const problem = watch.problem()
    return {
      database: { ok: taking.isDatabaseUp() },
      kafka: { ok: isAssigned && taking.isKafkaUp() },
      couriers: { ok: problem === undefined, ...(problem !== undefined && { detail: problem }) },
      taking: { ok: true, ...(drainingSince !== null && { detail: drainingText(drainingSince) }) },
    }
  })
  await using _consumer = await consumeStatus({
    brokers: config.kafka.brokers,
    topic: parts.topics.status,
    groupId: `${config.kafka.topic_prefix}postrider.relay.kratos.${source.id}`,
    clientId: config.instance,
    database,
    log,
    stopping,
    onAssigned: () => {
      isAssigned = true
    },
    onFatal: fatal.reject,
    onWritten: ({ events, foreign }) => {
      metrics.writtenBack(events, Date.now())
      watch.report(foreign)
    },
    onRefused: metrics.refused,
  })
  const running = Promise.all([taking.ended, every(look, LOOK_MS), every(() => forgetOld(database), FORGET_MS)])
  try {
    await Promise.race([config.mode.drain ? awaitDrained(database, log, stopping) : running, fatal.promise])
  } finally {
    ended.abort()
    await running
  }

  async function look(): Promise<void> {
    backlog = await measureSource(database)
    drainingSince = (await readSource(database)).drainingSince
    await watch.look(drainingSince === null)
  }

  async function every(task: () => Promise<unknown>, intervalMs: number): Promise<void> {
    while (!stopping.aborted) {
      await task().catch((error: unknown) => log.warn({ reason: messageOf(error) }, 'source not looked at'))
      await sleep(intervalMs, stopping)
    }
  }
}

function takePortsOf(parts: KratosRelayParts, metrics: KratosMetrics): TakePorts {
  const { config, telemetry, database, columns, sealer, topics, producer } = parts
  const tracing = openKratosTracing(telemetry.tracer, telemetry.tracing)
  return {
    database,
    columns,
    sealer,
    topics,
    tracing,
    log: telemetry.log,
    send: producer.send,
    partitions: config.kafka.partitions,
    worker: config.instance,
    onSent: (topic, partition, rows, startedMs) => {
      metrics.relayed(rows, Date.now())
      tracing.sent(topic, partition, rows, startedMs)
    },
    onFailed: metrics.failed,
    onSetAside: (row) => {
      metrics.setAside(1)
      tracing.setAside(row)
    },
  }
}
