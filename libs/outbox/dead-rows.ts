/** Rows that cannot be published: set aside sealed, and kept with their reason until an operator deletes them. */
import type { Database } from '#libs/database'
import { arrayLiteral } from './array-literal.ts'
import type { RowPlace } from './relay-rows.ts'

export interface Culprit extends RowPlace {
  /** Key and record of the row, sealed also where the row was plain. */
  readonly key: string
  readonly value: string
  readonly traceparent: string
  /** Free of addresses, codes and data. */
  readonly reason: string
}

/** A row whose message was abandoned and whose event is not published yet. */
export interface DeadRow {
  readonly id: string
  readonly project_id: string
  readonly channel: string
  readonly template_type: string
  readonly lane: string
  readonly expires_at: Date
  readonly created_at: Date
  readonly failed_at: Date
  readonly traceparent: string
  readonly reason: string
}

/** Moves one row, unless it is gone or `owner` has lost its shard. @returns whether it was moved */
export async function setRowAside(database: Database, owner: string, culprit: Culprit): Promise<boolean> {
  const { shard, seq, key, value, traceparent, reason } = culprit
  const values = [shard, seq, owner, key, value, traceparent, reason]
  return (await database.query({ text: SET_ASIDE, values })).rowCount > 0
}

/** At most 500 of the given shards, oldest first. */
export async function unannouncedRows(database: Database, shards: readonly number[]): Promise<DeadRow[]> {
  const { rows } = await database.query<DeadRow>({
    name: 'outbox-unannounced',
    text: UNANNOUNCED,
    values: [arrayLiteral(shards, (shard) => shard)],
  })
  return rows
}

/** Remembers that the events of these messages are published. */
export async function markAnnounced(database: Database, ids: readonly string[]): Promise<void> {
  await database.query({
    text: 'update outbox.dead set announced_at = now() where id = any($1::uuid[])',
    values: [arrayLiteral(ids, (id) => id)],
  })
}

// An id that stands there already was set aside before it was enqueued again by hand: the later row tells.
const SET_ASIDE = `
  with gone as (
    delete from outbox.message o where o.shard = $1 and o.seq = $2
      and exists (select from outbox.relay_shard r where r.shard = o.shard and r.owner = $3)
    returning *)
  insert into outbox.dead (id, shard, project_id, channel, template_type, lane, expires_at, key, value, traceparent,
    tracestate, created_at, reason)
  select id, shard, project_id, channel, template_type, lane, expires_at, $4, $5, $6, tracestate, created_at, $7 from gone
  on conflict (id) do update set failed_at = now(), reason = excluded.reason, value = excluded.value, announced_at = null`

const UNANNOUNCED = `
  select id, project_id, channel, template_type, lane, expires_at, created_at, failed_at, traceparent, reason
  from outbox.dead where announced_at is null and shard = any ($1::smallint[]) order by failed_at limit 500`
