/**
 * Who reads which shard: lease rows by the database's clock, never session locks. Shards are granted by their residue modulo the
 * partitions of the topics, so that a relay owns whole Kafka partitions; the row `shard = residue` stands for its residue.
 */
import type { Database } from '#libs/database'
import { arrayLiteral } from './array-literal.ts'

export const SHARDS = 64

export interface HeldShard {
  readonly shard: number
  /** One more with each owner. */
  readonly fence: number
}

export interface LeaseRequest {
  /** Name and boot id: never used by another process. */
  readonly owner: string
  /** A divisor of 64, the same for all relays. */
  readonly partitions: number
  readonly leaseMs: number
  /** Whether to take free shards; false renews only. */
  readonly taking: boolean
}

export interface Leases {
  /** Relays that were seen within the lease, this one included. */
  readonly live: number
  /** All that the caller owns now, for `leaseMs` from the start of the call. */
  readonly held: HeldShard[]
}

/** Heartbeat, renewal, and as many free residues as are missing to a fair share, in one statement. */
export async function leaseShards(
  database: Database,
  { owner, partitions, leaseMs, taking }: LeaseRequest,
): Promise<Leases> {
  const { rows } = await database.query<HeldShard & { live: number }>({
    name: 'outbox-lease',
    text: LEASE,
    values: [owner, partitions, `${leaseMs} ms`, taking],
  })
  return { live: rows[0]?.live ?? 1, held: rows.filter(({ shard }) => shard !== null) }
}

/** Gives shards back at once. A shard that was taken over is left alone. */
export async function releaseShards(database: Database, owner: string, shards: readonly HeldShard[]): Promise<void> {
  await database.query({
    name: 'outbox-release',
    text: RELEASE,
    values: [owner, arrayLiteral(shards, ({ shard }) => shard), arrayLiteral(shards, ({ fence }) => fence)],
  })
}

/** Gives everything back and is no member any more. */
export async function leaveRelays(database: Database, owner: string): Promise<void> {
  await database.query({ text: LEAVE, values: [owner] })
}

// MATERIALIZED: else the planner may run the sub-select again and take more than asked for.
const LEASE = `
  with me as (
    insert into outbox.relay_member (id) values ($1) on conflict (id) do update set seen_at = now()),
  live as (
    select count(*)::integer + 1 as n from outbox.relay_member where seen_at > now() - $3::interval and id <> $1),
  mine as (
    select shard from outbox.relay_shard where shard < $2::integer and owner = $1 and lease_until > now()),
  want as (
    select case when $4::boolean
      then greatest(0, ceil($2::numeric / (select n from live)) - (select count(*) from mine))::integer else 0 end as n),
  take as materialized (
    select shard from outbox.relay_shard where shard < $2::integer and lease_until <= now()
    order by shard limit (select n from want) for update skip locked),
  got as (
    update outbox.relay_shard s set owner = $1, fence = s.fence + 1, lease_until = now() + $3::interval
    where $4::boolean and s.lease_until <= now()
      and s.shard % $2::integer in (select shard from take union all select shard from mine)
    returning s.shard, s.fence),
  kept as (
    update outbox.relay_shard s set lease_until = now() + $3::interval where s.owner = $1 and s.lease_until > now()
    returning s.shard, s.fence)
  select live.n as live, held.shard, held.fence
  from live left join (select * from got union all select * from kept) held on true`

const RELEASE = `
  update outbox.relay_shard s set owner = null, lease_until = '-infinity'
  from unnest($2::smallint[], $3::bigint[]) as d (shard, fence)
  where s.shard = d.shard and s.fence = d.fence and s.owner = $1`

const LEAVE = `
  with gone as (delete from outbox.relay_member where id = $1)
  update outbox.relay_shard set owner = null, lease_until = '-infinity' where owner = $1`
