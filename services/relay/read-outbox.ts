/** One pass over the owned shards: what is new goes to its partition's line, what nobody can take is set aside. */
import type { Database } from '#libs/database'
import { partitionOfKey, type Sealer } from '#libs/messages'
import { type Frontier, lowWaterAfter, type OutboxRow, readRows } from '#libs/outbox'
import type { Flight } from './flight.ts'
import type { OwnedShard, OwnedShards } from './owned-shards.ts'
import type { PartitionLines } from './partition-lines.ts'
import { recordOfRow } from './record-of-row.ts'
import type { Settler } from './settle-rows.ts'

export interface ReadPorts {
  readonly database: Database
  readonly shards: OwnedShards
  readonly frontier: Frontier
  readonly lines: PartitionLines
  readonly settler: Settler
  readonly sealer: Sealer
  readonly partitions: number
  /** Rows below a low-water mark were found: the mark was wrong. */
  readonly onStranded: (count: number) => void
  readonly now: () => number
}

export interface ReadOptions {
  /** Whether to begin from the bottom, which must find nothing that a usual read would not. */
  readonly sweep: boolean
}

/** Of one read over all shards. */
const READ_ROWS = 2_048
const READ_BYTES = 16 * 1024 * 1024
/** Rows of one shard: enough where a relay owns few, or where one key is busy. */
const SHARD_ROWS = { least: 32, most: 256 }
/** Rows under way, in memory. */
const MAX_FLYING_BYTES = 48 * 1024 * 1024

/** @returns the number of rows that were read */
export async function readOutbox(ports: ReadPorts, { sweep }: ReadOptions): Promise<number> {
  const { database, shards, frontier, lines, now } = ports
  if (lines.bytes() > MAX_FLYING_BYTES || shards.all.size === 0) return 0
  const rows = Math.min(SHARD_ROWS.most, Math.max(SHARD_ROWS.least, Math.ceil(READ_ROWS / shards.all.size)))
  const nowMs = now()
  const read = [...shards.all.values()].filter(
    ({ draining, leaseEndsAtMs, flying }) => !draining && leaseEndsAtMs > nowMs && flying.size < 2 * rows,
  )
  if (read.length === 0) return 0

  const known = frontier.value
  const windows = sweep ? read.map(({ shard, flying }) => ({ shard, low: 0, flying })) : read
  const found = await readRows(database, windows, { rows, bytes: Math.ceil(READ_BYTES / read.length) })
  const first = new Map<number, number>()
  for (const { shard, seq } of found) if (!first.has(shard)) first.set(shard, seq)
  if (sweep) countStranded(found, shards, ports.onStranded)
  for (const owned of read) owned.low = lowWaterAfter(known, lowest(owned, first.get(owned.shard)))

  const current = new Map(read.map((owned) => [owned.shard, owned]))
  for (const row of found) take(row, current.get(row.shard)!, ports)
  return found.length
}

/** Of what was returned and of what was left out because it is under way. */
function lowest({ flying }: OwnedShard, first: number | undefined): number | undefined {
  let low = first
  for (const seq of flying) if (low === undefined || seq < low) low = seq
  return low
}

/** A row that is lost or given back meanwhile is dropped: it is still in the table. */
function take(row: OutboxRow, owned: OwnedShard, { lines, settler, sealer, partitions }: ReadPorts): void {
  if (owned.lost || owned.draining) return
  const { record, traceparent, problem } = recordOfRow(row, sealer)
  const flight: Flight = {
    owned,
    seq: row.seq,
    id: row.id,
    lane: row.lane,
    partition: partitionOfKey(record.key, partitions),
    record,
    createdMs: row.created_ms,
    traceparent,
    tracestate: row.tracestate,
  }
  owned.flying.add(row.seq)
  if (problem === undefined) lines.add(flight)
  else settler.setAside(flight, problem)
}

function countStranded(found: readonly OutboxRow[], { all }: OwnedShards, onStranded: ReadPorts['onStranded']): void {
  const stranded = found.filter(({ shard, seq }) => seq < (all.get(shard)?.low ?? 0)).length
  if (stranded > 0) onStranded(stranded)
}
