/** Reading and removing rows. A shard has one reader, its lease's owner, so that reads lock nothing and removals are fenced. */
import type { Database } from '#libs/database'
import type { Lane } from '#libs/messages'
import { arrayLiteral } from './array-literal.ts'

/** Columns as they stand; either `key` and `value`, or `plain`. */
export interface OutboxRow {
  readonly shard: number
  /** Place in the order of its shard. */
  readonly seq: number
  readonly id: string
  readonly project_id: string
  readonly channel: string
  readonly template_type: string
  readonly lane: Lane
  readonly expires_at: Date
  readonly key: string | null
  readonly value: string | null
  readonly plain: Readonly<Record<string, unknown>> | null
  readonly traceparent: string | null
  readonly tracestate: string | null
  /** Epoch ms, with its fraction. */
  readonly created_ms: number
}

/** What is to be read of one shard. */
export interface ShardWindow {
  readonly shard: number
  /** Nothing below is there any more. */
  readonly low: number
  /** Places that were read before and are still there: left out. */
  readonly flying: ReadonlySet<number>
}

export interface ReadLimits {
  /** Rows per shard. */
  readonly rows: number
  /** Bytes per shard; the first row of a shard comes whatever its size. */
  readonly bytes: number
}

/** @returns per shard in the order of `seq`; shards follow one another */
export async function readRows(
  database: Database,
  windows: readonly ShardWindow[],
  { rows, bytes }: ReadLimits,
): Promise<OutboxRow[]> {
  const result = await database.query<OutboxRow>({
    name: 'outbox-read',
    text: READ,
    values: [
      arrayLiteral(windows, ({ shard }) => shard),
      arrayLiteral(windows, ({ low }) => low),
      arrayLiteral(windows, ({ flying }) => arrayLiteral(flying, (seq) => seq)),
      rows,
      bytes,
    ],
  })
  return result.rows
}

export interface RowPlace {
  readonly shard: number
  readonly seq: number
}

/** Removes rows that Kafka has. Rows of shards that `owner` has lost stay: their new owner publishes them again. */
export async function deleteRows(database: Database, owner: string, places: readonly RowPlace[]): Promise<void> {
  await database.query({
    name: 'outbox-delete',
    text: DELETE,
    values: [arrayLiteral(places, ({ shard }) => shard), arrayLiteral(places, ({ seq }) => seq), owner],
  })
}

// One index range per shard, without locks. MATERIALIZED: each list of places under way is parsed once.
const READ = `
  with w as materialized (
    select shard, low, flying::bigint[] as flying
    from unnest($1::smallint[], $2::bigint[], $3::text[]) as w (shard, low, flying))
  select r.shard, r.seq, r.id, r.project_id, r.channel, r.template_type, r.lane, r.expires_at, r.key, r.value, r.plain,
    r.traceparent, r.tracestate, (extract(epoch from r.created_at) * 1000)::float8 as created_ms
  from w cross join lateral (
    select i.*, sum(coalesce(octet_length(i.value), pg_column_size(i.plain))) over (order by i.seq) as bytes,
      row_number() over (order by i.seq) as place
    from (
      select * from outbox.message o
      where o.shard = w.shard and o.seq >= w.low and o.seq <> all (w.flying) order by o.seq limit $4) i) r
  where r.place = 1 or r.bytes <= $5`

const DELETE = `
  delete from outbox.message o using unnest($1::smallint[], $2::bigint[]) as d (shard, seq)
  where o.shard = d.shard and o.seq = d.seq
    and exists (select from outbox.relay_shard r where r.shard = o.shard and r.owner = $3)`
