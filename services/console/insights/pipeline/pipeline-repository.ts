/** How much is on its way, and for how long: what the tables of the pipeline say. */
import type { Tx } from '#libs/database'

export interface StageRow {
  readonly count: number
  /** Of the oldest; null for none. */
  readonly oldest_age_s: number | null
}

export interface WaitingRow extends StageRow {
  /** Due and not taken yet. */
  readonly overdue: number
  readonly overdue_s: number | null
  /** Of unknown outcome, until an operator decides. */
  readonly held: number
}

/** Counted up to here: that there are more is all one has to know. */
export const MOST = 10_001

const OF_PROJECT = '($1::uuid is null or project_id = $1)'
/** A message lives five days at most. */
const ALIVE = "interval '6 days'"
const AGE = (at: string) => `date_part('epoch', now() - ${at}) as oldest_age_s`
/** The creation time inside a UUIDv7. */
const CREATED = (id: string) =>
  `to_timestamp(('x' || lpad(left(replace(${id}::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0)`

// The first row of a shard is its oldest, however long the line behind it.
const OUTBOX = `
  with rows as (select created_at from outbox.message where ${OF_PROJECT} limit ${MOST}),
       heads as (select h.created_at from generate_series(0, 63) s (shard) cross join lateral (
         select created_at from outbox.message m where m.shard = s.shard and ${OF_PROJECT} order by seq limit 1) h)
  select (select count(*)::int from rows) as count, ${AGE('(select min(created_at) from heads)')}`

const TOPIC = `
  select count(*)::int as count, ${AGE('min(created_at)')} from (
    select created_at from console.message m
    where state not in ('sent', 'delivered') and state = 'queued' and created_at > now() - ${ALIVE} and ${OF_PROJECT}
      and not exists (select from courier.ledger l where l.message_id = m.id)
    order by created_at limit ${MOST}
  ) q`

const SENDING = `
  select count(*)::int as count, ${AGE('min(updated_at)')} from (
    select updated_at from courier.ledger
    where state = 1 and message_id >= courier.id_floor(now() - ${ALIVE}) and ${OF_PROJECT} limit ${MOST}
  ) s`

const WAITING = `
  select count(*) filter (where state = 2)::int as count, ${AGE(`${CREATED('min(message_id::text collate "C") filter (where state = 2)')}`)},
         count(*) filter (where state = 2 and due_at <= now())::int as overdue,
         date_part('epoch', now() - min(due_at) filter (where state = 2 and due_at <= now())) as overdue_s,
         count(*) filter (where state = 3)::int as held
  from (
    select message_id, state, due_at from courier.ledger where due_at is not null and state in (2, 3) and ${OF_PROJECT}
    limit ${MOST}
  ) w`

const UNPROJECTED = `
  select count(*)::int as count, ${AGE('min(created_at)')} from (
    select created_at from console.accepted a
    where ${OF_PROJECT} and not exists (select from console.message m where m.id = a.id) limit ${MOST}
  ) a`

const STATEMENTS = { outbox: OUTBOX, topic: TOPIC, sending: SENDING, waiting: WAITING, unprojected: UNPROJECTED }

/** @param project null for all */
export async function findStage<K extends keyof typeof STATEMENTS>(
  tx: Tx,
  stage: K,
  project: string | null,
): Promise<K extends 'waiting' ? WaitingRow : StageRow> {
  const { rows } = await tx.query<WaitingRow>({ name: `stage-${stage}`, text: STATEMENTS[stage], values: [project] })
  return rows[0]!
}
