/** The SQL of writing statuses back. Rows of Kratos are locked before those of ours, each in order of their ids: nobody waits in a circle. */
import type { Tx } from '#libs/database'
import type { Known, KratosDispatch, KratosRow } from './decide-write-back.ts'

interface KnownRow {
  readonly message_id: string
  readonly kratos_id: string
  readonly nid: string
  readonly is_latest: boolean
  readonly base_count: number
  readonly written_count: number
  readonly status: number
  readonly position: number
  readonly ended_at: Date | null
  readonly changed_by_others_at: Date | null
}

/** Which of these messages are of this source: Kratos' id by message id. */
export async function findKratosIds(database: Tx, messageIds: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await database.query<{ message_id: string; kratos_id: string }>({
    name: 'find-kratos-ids',
    text: 'select message_id, kratos_id from postrider_kratos.message where message_id = any($1::uuid[])',
    values: [messageIds],
  })
  return new Map(rows.map(({ message_id, kratos_id }) => [message_id, kratos_id]))
}

/** Those that still exist. Waits for a relay that is publishing one of them. */
export async function lockKratosRows(tx: Tx, ids: readonly string[]): Promise<Map<string, KratosRow>> {
  const { rows } = await tx.query<{ id: string; status: number; send_count: number }>({
    name: 'lock-kratos-rows',
    text: `select id, status, send_count from courier_messages
           where id = any($1::uuid[]) order by id for no key update`,
    values: [ids],
  })
  return new Map(rows.map(({ id, status, send_count }) => [id, { status, sendCount: send_count }]))
}

export async function lockKnown(tx: Tx, messageIds: readonly string[]): Promise<Known[]> {
  const { rows } = await tx.query<KnownRow>({
    name: 'lock-known',
    text: `select e.message_id, e.kratos_id, e.nid, e.base_count, e.written_count, e.status, e.position, e.ended_at,
                  e.changed_by_others_at, not exists (
                    select from postrider_kratos.message n where n.kratos_id = e.kratos_id and n.generation > e.generation
                  ) as is_latest
           from postrider_kratos.message e
           where e.message_id = any($1::uuid[]) order by e.message_id for no key update of e`,
    values: [messageIds],
  })
  return rows.map((row) => ({
    messageId: row.message_id,
    kratosId: row.kratos_id,
    nid: row.nid,
    isLatest: row.is_latest,
    baseCount: row.base_count,
    writtenCount: row.written_count,
    status: row.status,
    position: row.position,
    endedAt: row.ended_at,
    isChangedByOthers: row.changed_by_others_at !== null,
  }))
}

/** `updated_at` stays as it is: Kratos' own courier never moves it either. */
export async function updateKratosRows(tx: Tx, rows: readonly (readonly [string, KratosRow])[]): Promise<void> {
  if (rows.length === 0) return
  await tx.query({
    name: 'update-kratos-rows',
    text: `update courier_messages m set status = d.status, send_count = d.send_count
           from unnest($1::uuid[], $2::int[], $3::int[]) as d (id, status, send_count) where m.id = d.id`,
    values: [rows.map(([id]) => id), rows.map(([, row]) => row.status), rows.map(([, row]) => row.sendCount)],
  })
}

export async function updateKnown(tx: Tx, known: readonly Known[]): Promise<void> {
  if (known.length === 0) return
  await tx.query({
    name: 'update-known',
    text: `update postrider_kratos.message e
           set status = d.status, position = d.position, written_count = d.written_count, ended_at = d.ended_at,
               changed_by_others_at = case when d.others then coalesce(e.changed_by_others_at, clock_timestamp()) end
           from unnest($1::uuid[], $2::int[], $3::int[], $4::int[], $5::timestamptz[], $6::boolean[])
             as d (message_id, status, position, written_count, ended_at, others)
           where e.message_id = d.message_id`,
    values: [
      known.map((k) => k.messageId),
      known.map((k) => k.status),
      known.map((k) => k.position),
      known.map((k) => k.writtenCount),
      known.map((k) => k.endedAt),
      known.map((k) => k.isChangedByOthers),
    ],
  })
}

/** Those that are there already stay as they are. */
export async function insertDispatches(tx: Tx, dispatches: readonly KratosDispatch[]): Promise<void> {
  if (dispatches.length === 0) return
  await tx.query({
    name: 'insert-dispatches',
    text: `insert into courier_message_dispatches (id, message_id, nid, status, error, created_at, updated_at)
           select id, message_id, nid, status, error::json, at at time zone 'UTC', at at time zone 'UTC'
           from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[])
             as d (id, message_id, nid, status, error, at)
           on conflict (id) do nothing`,
    values: [
      dispatches.map((d) => d.id),
      dispatches.map((d) => d.messageId),
      dispatches.map((d) => d.nid),
      dispatches.map((d) => d.status),
      dispatches.map((d) => d.error),
      dispatches.map((d) => d.at),
    ],
  })
}
