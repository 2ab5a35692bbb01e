/** The state of the source as a whole: who it is, whether it drains, what waits and what is under way. */
import type { Database, Tx } from '#libs/database'

/** Held while rows are taken, shared; alone while a drain begins, so that no taking that began before it goes unnoticed. */
const TAKING_LOCK = 7_301_982_443

export interface SourceState {
  /** Of this database, whatever address it has. */
  readonly id: string
  readonly drainingSince: Date | null
}

export interface Backlog {
  readonly pending: number
  readonly oldestAgeS: number
  readonly underWay: number
  /** Under way beyond its expiry by 10 min: its end was missed. */
  readonly overdue: number
}

export async function readSource(database: Tx): Promise<SourceState> {
  const { rows } = await database.query<{ id: string; draining_since: Date | null }>({
    text: 'select id, draining_since from postrider_kratos.source',
  })
  const source = rows[0]
  if (source === undefined) throw new Error('postrider_kratos.source: found no row')
  return { id: source.id, drainingSince: source.draining_since }
}

/** Until the transaction ends no drain begins. */
export async function lockTaking(tx: Tx): Promise<void> {
  await tx.query({ name: 'lock-taking', text: 'select pg_advisory_xact_lock_shared($1)', values: [TAKING_LOCK] })
}

/** From its return on no relay of this source takes a row whose message is not under way already. */
export async function beginDrain(database: Database): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query({ text: 'select pg_advisory_xact_lock($1)', values: [TAKING_LOCK] })
    await tx.query({
      text: 'update postrider_kratos.source set draining_since = coalesce(draining_since, clock_timestamp())',
    })
  })
}

/** @returns whether it was draining */
export async function endDrain(database: Tx): Promise<boolean> {
  const { rowCount } = await database.query({
    text: 'update postrider_kratos.source set draining_since = null where draining_since is not null',
  })
  return rowCount > 0
}

/** Rows that Postrider took, or may have published, and that have not ended. */
export async function countUnderWay(database: Tx): Promise<number> {
  const { rows } = await database.query<{ count: number }>({
    name: 'count-under-way',
    text: `select count(*) from postrider_kratos.message e
           join courier_messages m on m.id = e.kratos_id
           where e.ended_at is null and m.status in (1, 3)`,
  })
  return rows[0]?.count ?? 0
}

export async function measureSource(database: Tx): Promise<Backlog> {
  const { rows } = await database.query<{ pending: number; oldest: number; under_way: number; overdue: number }>({
    name: 'measure-source',
    text: `select w.*, u.* from
             (select count(*) as pending,
                     coalesce(extract(epoch from (now() at time zone 'UTC') - min(created_at)), 0)::float8 as oldest
              from courier_messages where status = 1 and nid is not null) w,
             (select count(*) as under_way,
                     count(*) filter (where e.expires_at < now() - interval '10 minutes') as overdue
              from postrider_kratos.message e join courier_messages m on m.id = e.kratos_id
              where e.ended_at is null and m.status in (1, 3)) u`,
  })
  const { pending = 0, oldest = 0, under_way = 0, overdue = 0 } = rows[0] ?? {}
  return { pending, oldestAgeS: Math.max(0, oldest), underWay: under_way, overdue }
}

const STRANDED = `status = 3 and nid is not null and not exists (
  select from postrider_kratos.message e where e.kratos_id = courier_messages.id and e.ended_at is null)`

/** Rows that another courier left in processing: nothing but this ever moves them again. @returns how many are queued now */
export async function adoptProcessing(database: Tx): Promise<number> {
  const { rowCount } = await database.query({ text: `update courier_messages set status = 1 where ${STRANDED}` })
  return rowCount
}

export async function countStranded(database: Tx): Promise<number> {
  const { rows } = await database.query<{ count: number }>({
    text: `select count(*) from courier_messages where ${STRANDED}`,
  })
  return rows[0]?.count ?? 0
}

/** Forgets what is so old that its status is in no topic any more. @returns how many */
export async function forgetOld(database: Tx): Promise<number> {
  const { rowCount } = await database.query({
    text: `delete from postrider_kratos.message where message_id in (
             select message_id from postrider_kratos.message e
             where ended_at < now() - interval '60 days'
                or (ended_at is null and reserved_at < now() - interval '60 days'
                    and not exists (select from courier_messages m where m.id = e.kratos_id))
             limit 1000)`,
  })
  return rowCount
}
