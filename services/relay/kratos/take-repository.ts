/** The SQL of taking rows. */
import type { Tx } from '#libs/database'
import type { MessageId } from '#libs/messages'
import type { QueuedRow, Reservation } from './reservation.ts'
import type { KratosColumns } from './source-schema.ts'

/**
 * Locks the oldest rows that wait and that nobody else has locked, until the transaction ends. While the source drains only those whose
 * message is under way already. Dispatches may be written beside the lock, and Kratos goes on to insert.
 */
export async function lockQueued(tx: Tx, columns: KratosColumns, limit: number): Promise<QueuedRow[]> {
  const { rows } = await tx.query<QueuedRow>({
    name: 'lock-queued',
    text: `select m.id, m.nid, m.type, m.recipient, m.subject, m.body, m.template_type, m.template_data,
                  ${columns.channel ? 'm.channel' : 'null as channel'},
                  ${columns.request_headers ? 'm.request_headers' : 'null as request_headers'},
                  m.send_count, m.created_at at time zone 'UTC' as created_at, clock_timestamp() as now
           from courier_messages m, postrider_kratos.source s
           where m.status = 1 and m.nid is not null
             and (s.draining_since is null or exists (
               select from postrider_kratos.message e where e.kratos_id = m.id and e.ended_at is null))
           order by m.created_at limit $1
           for no key update of m skip locked`,
    values: [limit],
  })
  return rows
}

interface ReservationRow {
  readonly message_id: MessageId
  readonly kratos_id: string
  readonly nid: string
  readonly generation: number
  readonly reserved_at: Date
  readonly expires_at: Date
  readonly traceparent: string
  readonly ended_at: Date | null
}

/** By Kratos' id. Complete only for rows that the caller holds locked. */
export async function latestReservations(
  database: Tx,
  kratosIds: readonly string[],
): Promise<Map<string, Reservation>> {
  const { rows } = await database.query<ReservationRow>({
    name: 'latest-reservations',
    text: `select distinct on (kratos_id)
                  message_id, kratos_id, nid, generation, reserved_at, expires_at, traceparent, ended_at
           from postrider_kratos.message where kratos_id = any($1::uuid[]) order by kratos_id, generation desc`,
    values: [kratosIds],
  })
  return new Map(
    rows.map((row) => [
      row.kratos_id,
      {
        messageId: row.message_id,
        kratosId: row.kratos_id,
        nid: row.nid,
        generation: row.generation,
        reservedAt: row.reserved_at,
        expiresAt: row.expires_at,
        traceparent: row.traceparent,
        isEnded: row.ended_at !== null,
      },
    ]),
  )
}

/**
 * Durable when it resolves, whatever becomes of the transaction that holds the rows: not to be called on that one.
 * @throws where another relay reserved one of them, which its lock on the row forbids
 */
export async function insertReservations(
  database: Tx,
  reservations: readonly Reservation[],
  sendCounts: readonly number[],
): Promise<void> {
  const { rowCount } = await database.query({
    name: 'insert-reservations',
    text: `insert into postrider_kratos.message
             (message_id, kratos_id, nid, generation, reserved_at, expires_at, traceparent, base_count, written_count)
           select *, send_count from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::timestamptz[], $6::timestamptz[],
             $7::text[], $8::int[]) as r (message_id, kratos_id, nid, generation, reserved_at, expires_at, traceparent, send_count)
           on conflict do nothing`,
    values: [
      reservations.map((r) => r.messageId),
      reservations.map((r) => r.kratosId),
      reservations.map((r) => r.nid),
      reservations.map((r) => r.generation),
      reservations.map((r) => r.reservedAt),
      reservations.map((r) => r.expiresAt),
      reservations.map((r) => r.traceparent),
      sendCounts,
    ],
  })
  if (rowCount !== reservations.length) throw new Error('rows were reserved by another relay at the same time')
}

export async function markProcessing(tx: Tx, kratosIds: readonly string[]): Promise<void> {
  await tx.query({
    name: 'mark-processing',
    text: 'update courier_messages set status = 3 where id = any($1::uuid[])',
    values: [kratosIds],
  })
}
