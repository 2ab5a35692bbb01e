/** Wires the parts of the relay together and runs them until it is told to stop. */
import type { Database } from '#libs/database'
import { messageOf } from '#libs/errors'
import { openWakeablePause, poll, sleep } from '#libs/lifecycle'
import type { Sealer, Topics } from '#libs/messages'
import { type Backlog, deleteOld, measureBacklog, openFrontier, sampleOutbox, WAKE_CHANNEL } from '#libs/outbox'
import type { Telemetry } from '#libs/telemetry'
import { announceDead } from './announce-dead.ts'
import type { Flight } from './flight.ts'
import { openOwnedShards } from './owned-shards.ts'
import { openPartitionLines, type Send } from './partition-lines.ts'
import { openReadLoop } from './read-loop.ts'
import { openRelayMetrics } from './relay-metrics.ts'
import { recordSent, recordSetAside } from './relay-tracing.ts'
import { openSettler } from './settle-rows.ts'

export interface RelayParts {
  /** Name and boot id. */
  readonly owner: string
  readonly instance: string
  /** A divisor of 64. */
  readonly partitions: number
  readonly topics: Topics
  readonly sealer: Sealer
  readonly database: Database
  readonly producer: { readonly send: Send }
  readonly telemetry: Pick<Telemetry, 'log' | 'meter' | 'tracer' | 'tracing' | 'setReady'>
  readonly stopping: AbortSignal
  /** A dead relay's shards are free after it. @default 5_000 */
  readonly leaseMs?: number
}

const LEASE_MS = 5_000
const SAMPLE_MS = 500
const MEASURE_MS = 5_000
const ANNOUNCE_MS = 5_000
const DELETE_OLD_MS = 60_000
const LISTEN_RETRY_MS = 1_000
const DRAIN_MS = 14_000

/** Resolves when told to stop and everything under way is acknowledged, removed and given back. */
export async function runRelay(parts: RelayParts): Promise<void> {
  const { owner, partitions, topics, sealer, database, producer, telemetry, stopping, leaseMs = LEASE_MS } = parts
  const { log } = telemetry
  const now = () => performance.now()
  const shards = openOwnedShards({ database, owner, partitions, leaseMs, now })
  const frontier = openFrontier()
  const { pause, wake } = openWakeablePause()
  let backlog: Backlog = { pending: 0, oldestAgeS: 0 }
  const metrics = openRelayMetrics(telemetry.meter, { backlog: () => backlog, shards: () => shards.all.size })

  const settler = openSettler({ database, owner, log, onSetAside, onDatabaseError })
  const lines = openPartitionLines({
    send: producer.send,
    settler,
    topics,
    partitions,
    log,
    now,
    onSent,
    onFailed: metrics.failed,
  })
  const readAll = openReadLoop({
    ports: { database, shards, frontier, lines, settler, sealer, partitions, onStranded, now },
    pause,
    onError: (error) => {
      onDatabaseError()
      log.warn({ reason: messageOf(error) }, 'outbox not read')
    },
    stopping,
  })
  let heartbeatAtMs = Number.NEGATIVE_INFINITY
  telemetry.setReady(() => ({
    database: { ok: now() - heartbeatAtMs < leaseMs },
    kafka: { ok: lines.isHealthy() },
  }))
  stopping.addEventListener('abort', wake, { once: true })

  const ended = new AbortController()
  const beating = every(heartbeat, leaseMs / 5, 'leases not renewed', ended.signal)
  await Promise.all([
    readAll(),
    listen(),
    every(async () => frontier.add(await sampleOutbox(database)), SAMPLE_MS, 'transactions not sampled', stopping),
    every(measure, MEASURE_MS, 'backlog not measured', stopping),
    every(announce, ANNOUNCE_MS, 'events of rows set aside not published', stopping),
    poll(() => deleteOld(database), stopping, warn('old keys not deleted'), DELETE_OLD_MS),
  ])
  await drain()

  async function heartbeat(): Promise<void> {
    const before = shards.all.size
    await shards.heartbeat()
    heartbeatAtMs = now()
    if (shards.all.size > before) wake()
  }

  /** After a crash of the server places may be drawn again that were drawn before: nothing that was concluded from them holds. */
  function onDatabaseError(): void {
    frontier.forget()
    shards.forgetMarks()
  }

  function onSent(topic: string, partition: number, flights: readonly Flight[], startedMs: number): void {
    const endedMs = Date.now()
    metrics.relayed(flights, endedMs)
    if (telemetry.tracing) recordSent(telemetry.tracer, topic, partition, flights, startedMs, endedMs)
  }

  function onSetAside(flight: Flight): void {
    metrics.setAside(1)
    if (telemetry.tracing) recordSetAside(telemetry.tracer, flight, Date.now())
    announce().catch(warn('events of rows set aside not published'))
  }

  function onStranded(count: number): void {
    metrics.stranded(count)
    log.error({ rows: count }, 'rows were found below a low-water mark')
  }

  async function announce(): Promise<void> {
    const { instance: worker } = parts
    const ports = { database, send: producer.send, statusTopic: topics.status, partitions, worker }
    await announceDead([...shards.all.keys()], ports)
  }

  async function measure(): Promise<void> {
    backlog = await measureBacklog(database, [...shards.all.values()])
  }

  /** Notifications are a hint: without them the outbox is polled. */
  async function listen(): Promise<void> {
    while (!stopping.aborted) {
      const listening = await database.listen(WAKE_CHANNEL, wake).catch(warn('not listening for notifications'))
      if (listening === undefined) {
        await sleep(LISTEN_RETRY_MS, stopping)
        continue
      }
      await using _ = listening
      await new Promise<void>((resolve) => {
        if (stopping.aborted) resolve()
        else stopping.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }

  /** Leases are kept until what is under way is acknowledged and removed; a row that waits is left to the next owner. */
  async function drain(): Promise<void> {
    const deadlineMs = now() + DRAIN_MS
    shards.stopTaking()
    await lines.drain(DRAIN_MS)
    await settler.drain(Math.max(0, deadlineMs - now()))
    ended.abort()
    await beating
    await shards.leave().catch(warn('shards not given back, their leases end by themselves'))
  }

  /** Repeats until `signal` aborts; a failure waits for the next turn. */
  async function every(
    task: () => Promise<unknown>,
    intervalMs: number,
    failure: string,
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      await task().catch((error: unknown) => {
        onDatabaseError()
        warn(failure)(error)
      })
      await sleep(intervalMs, signal)
    }
  }

  function warn(what: string): (error: unknown) => undefined {
    return (error) => {
      log.warn({ reason: messageOf(error) }, what)
      return undefined
    }
  }
}
