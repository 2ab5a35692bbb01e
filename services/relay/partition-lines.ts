/**
 * A line per topic and partition: one send under way, the rest waits in order. What Kafka does not take for now stays at the head
 * and is tried again later; what it never takes is set aside alone.
 */
import type { OutRecord } from '#libs/bus'
import { isCoded, messageOf } from '#libs/errors'
import type { Lane, Topics } from '#libs/messages'
import type { Logger } from '#libs/telemetry'
import { type Flight, sizeOf } from './flight.ts'
import type { Settler } from './settle-rows.ts'

export type Send = (topic: string, partition: number, records: readonly OutRecord[]) => Promise<void>

export interface PartitionLines {
  readonly add: (flight: Flight) => void
  /** Starts every send that may start. */
  readonly pump: () => void
  /** Of all rows that wait or are being sent. */
  readonly bytes: () => number
  /** Whether the last send of every line was acknowledged. */
  readonly isHealthy: () => boolean
  /** Drops what waits, which is still in the table. Resolves when nothing is under way, or after `deadlineMs`. */
  readonly drain: (deadlineMs: number) => Promise<void>
}

export interface LinesOptions {
  readonly send: Send
  readonly settler: Settler
  readonly topics: Topics
  readonly partitions: number
  readonly log: Logger
  readonly now: () => number
  /** Told what one acknowledged send carried; times in epoch ms. */
  readonly onSent: (topic: string, partition: number, flights: readonly Flight[], startedMs: number) => void
  readonly onFailed: (code: string, count: number) => void
}

interface Line {
  readonly topic: string
  readonly partition: number
  waiting: Flight[]
  sending: boolean
  failures: number
  notBeforeMs: number
}

const BATCH_ROWS = 500
const BATCH_BYTES = 1024 * 1024
const FIRST_BACKOFF_MS = 100
const LAST_BACKOFF_MS = 30_000
/** A send that starts later might end when the shard has another owner. */
const LEASE_MARGIN_MS = 1_500

export function openPartitionLines(options: LinesOptions): PartitionLines {
  const { send, settler, topics, partitions, log, now } = options
  const lines: Record<Lane, Line[]> = {
    urgent: linesOf(topics.messages, partitions),
    notice: linesOf(topics.notices, partitions),
  }
  const all = [...lines.urgent, ...lines.notice]
  let bytes = 0
  let open = true
  let onIdle: (() => void) | undefined

  function pumpLine(line: Line): void {
    if (!open || line.sending || line.waiting.length === 0) return
    dropLost(line)
    const nowMs = now()
    if (line.waiting.length === 0 || nowMs < line.notBeforeMs) return
    const batch = line.waiting.splice(0, batchLength(line.waiting, nowMs))
    if (batch.length === 0) return
    line.sending = true
    sendBatch(line, batch).finally(() => {
      line.sending = false
      pumpLine(line)
      if (!all.some(({ sending }) => sending)) onIdle?.()
    })
  }

  /** Never rejects. */
  async function sendBatch(line: Line, batch: readonly Flight[]): Promise<void> {
    const startedMs = Date.now()
    try {
      await send(
        line.topic,
        line.partition,
        batch.map(({ record }) => record),
      )
      succeed(line, batch, startedMs)
    } catch (error) {
      const refused = refusedOf(error)
      if (refused === undefined) fail(line, batch, error)
      else refuse(line, batch, refused, messageOf(error), startedMs)
    }
  }

  function succeed(line: Line, batch: readonly Flight[], startedMs: number): void {
    line.failures = 0
    if (batch.length === 0) return
    for (const flight of batch) bytes -= sizeOf(flight)
    settler.acked(batch)
    options.onSent(line.topic, line.partition, batch, startedMs)
  }

  function refuse(
    line: Line,
    batch: readonly Flight[],
    refused: ReadonlySet<number>,
    reason: string,
    startedMs: number,
  ): void {
    for (const index of refused) {
      const flight = batch[index]!
      bytes -= sizeOf(flight)
      settler.setAside(flight, reason)
    }
    succeed(
      line,
      batch.filter((_, index) => !refused.has(index)),
      startedMs,
    )
  }

  function fail(line: Line, batch: readonly Flight[], error: unknown): void {
    const delayMs = Math.min(LAST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** line.failures)
    line.failures++
    line.notBeforeMs = now() + delayMs
    line.waiting = [...batch, ...line.waiting]
    options.onFailed(isCoded(error) ? error.code : '_OTHER', batch.length)
    const { topic, partition } = line
    log.warn(
      { topic, partition, rows: batch.length, delayMs, reason: messageOf(error) },
      'rows not published, they wait',
    )
  }

  /** What this relay may not send any more. */
  function dropLost(line: Line): void {
    if (!line.waiting.some(({ owned }) => owned.lost || owned.draining)) return
    line.waiting = line.waiting.filter((flight) => {
      if (!flight.owned.lost && !flight.owned.draining) return true
      drop(flight)
      return false
    })
  }

  function drop(flight: Flight): void {
    bytes -= sizeOf(flight)
    flight.owned.flying.delete(flight.seq)
  }

  return {
    add: (flight) => {
      bytes += sizeOf(flight)
      lines[flight.lane][flight.partition]!.waiting.push(flight)
    },
    pump: () => {
      for (const line of all) pumpLine(line)
    },
    bytes: () => bytes,
    isHealthy: () => all.every(({ failures }) => failures === 0),
    drain: async (deadlineMs) => {
      open = false
      for (const line of all) for (const flight of line.waiting.splice(0)) drop(flight)
      if (!all.some(({ sending }) => sending)) return
      const { promise, resolve } = Promise.withResolvers<void>()
      onIdle = resolve
      const timer = setTimeout(resolve, deadlineMs)
      await promise
      clearTimeout(timer)
    },
  }
}

function linesOf(topic: string, partitions: number): Line[] {
  return Array.from({ length: partitions }, (_, partition) => ({
    topic,
    partition,
    waiting: [],
    sending: false,
    failures: 0,
    notBeforeMs: 0,
  }))
}

/** How many rows from the head go together now: none once a lease is about to end. */
function batchLength(waiting: readonly Flight[], nowMs: number): number {
  let bytes = 0
  let length = 0
  for (const flight of waiting) {
    bytes += sizeOf(flight)
    if (length === BATCH_ROWS || (length > 0 && bytes > BATCH_BYTES)) break
    if (flight.owned.leaseEndsAtMs - LEASE_MARGIN_MS < nowMs) break
    length++
  }
  return length
}

/** Indexes of records that Kafka will never take. A topic that may not be written to is nobody's fault here: its rows wait. */
function refusedOf(error: unknown): ReadonlySet<number> | undefined {
  if (!isCoded(error, 'PRODUCE_REFUSED') || isOfTopic(error.cause)) return undefined
  const refused = error.details?.refused
  return Array.isArray(refused) && refused.length > 0 ? new Set(refused as number[]) : undefined
}

function isOfTopic(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('type' in cause && /AUTHORIZATION_FAILED|^INVALID_TOPIC/.test(String(cause.type))) return true
  }
  return false
}
