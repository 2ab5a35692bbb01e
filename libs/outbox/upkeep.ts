/** What a relay does beside relaying: how much waits, and what has become old. */
import type { Database } from '#libs/database'
import { arrayLiteral } from './array-literal.ts'
import type { ShardWindow } from './relay-rows.ts'

export interface Backlog {
  /** Committed rows, counted up to 10,000 per shard. */
  readonly pending: number
  /** Age of the oldest one, s; 0 when none waits. */
  readonly oldestAgeS: number
}

/** How much of the given shards waits, from their low-water marks on. */
export async function measureBacklog(
  database: Database,
  shards: readonly Pick<ShardWindow, 'shard' | 'low'>[],
): Promise<Backlog> {
  const { rows } = await database.query<Backlog>({
    name: 'outbox-backlog',
    text: BACKLOG,
    values: [arrayLiteral(shards, ({ shard }) => shard), arrayLiteral(shards, ({ low }) => low)],
  })
  return rows[0] ?? { pending: 0, oldestAgeS: 0 }
}

/** Deletes one batch of idempotency keys older than 24 h, and relays that have not been seen for a day. @returns deleted keys */
export async function deleteOld(database: Database): Promise<number> {
  await database.query({ text: "delete from outbox.relay_member where seen_at < now() - interval '24 hours'" })
  return (await database.query({ text: DELETE_KEYS })).rowCount
}

const BACKLOG = `
  select coalesce(sum(b.n), 0)::float8 as pending,
    coalesce(greatest(0, extract(epoch from clock_timestamp() - min(b.oldest))), 0)::float8 as "oldestAgeS"
  from unnest($1::smallint[], $2::bigint[]) as w (shard, low)
  cross join lateral (
    select count(*) as n, min(created_at) as oldest from (
      select o.created_at from outbox.message o where o.shard = w.shard and o.seq >= w.low order by o.seq limit 10000) i) b`

const DELETE_KEYS = `
  delete from outbox.idempotency where ctid = any (array(
    select ctid from outbox.idempotency where created_at < now() - interval '24 hours' limit 1000))`
