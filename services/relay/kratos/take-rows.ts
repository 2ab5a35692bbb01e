/**
 * One pass: lock what waits, reserve an id for it, publish, mark as processing, commit. A crash anywhere leaves rows queued, and the next
 * pass publishes them under the same ids, which couriers know.
 */
import type { Database } from '#libs/database'
import type { KratosTracing } from './kratos-tracing.ts'
import { type PublishPorts, publishRows, type ReservedRow } from './publish-rows.ts'
import { type QueuedRow, reservationOf } from './reservation.ts'
import { lockTaking } from './source-repository.ts'
import type { KratosColumns } from './source-schema.ts'
import { insertReservations, latestReservations, lockQueued, markProcessing } from './take-repository.ts'

export interface TakePorts extends PublishPorts {
  readonly database: Database
  readonly columns: KratosColumns
  readonly tracing: Pick<KratosTracing, 'start'>
}

export interface Taken {
  readonly found: number
  /** Of those found, the ones that Kafka has now. */
  readonly published: number
}

/** @throws what the database threw; everything is as if nothing had been taken then */
export function takeRows(ports: TakePorts, limit: number): Promise<Taken> {
  return ports.database.transaction(async (tx) => {
    await lockTaking(tx)
    const rows = await lockQueued(tx, ports.columns, limit)
    if (rows.length === 0) return { found: 0, published: 0 }
    const published = await publishRows(await reserve(rows, ports), ports)
    const ids = published.map(({ row }) => row.id)
    if (ids.length > 0) await markProcessing(tx, ids)
    return { found: rows.length, published: ids.length }
  })
}

/** On another connection than the one that holds the rows: a reservation outlives whatever becomes of this pass. */
async function reserve(rows: readonly QueuedRow[], { database, tracing }: TakePorts): Promise<ReservedRow[]> {
  const latest = await latestReservations(
    database,
    rows.map(({ id }) => id),
  )
  const fresh: (() => void)[] = []
  const reserved = rows.map((row) => {
    const known = latest.get(row.id)
    if (known !== undefined && !known.isEnded) return { row, reservation: known }
    const root = tracing.start(row)
    const reservation = reservationOf(row, known, root.traceparent)
    fresh.push(() => root.end(reservation))
    return { row, reservation }
  })
  const isNew = reserved.filter(({ row, reservation }) => latest.get(row.id) !== reservation)
  if (isNew.length > 0) {
    await insertReservations(
      database,
      isNew.map(({ reservation }) => reservation),
      isNew.map(({ row }) => row.send_count),
    )
  }
  for (const end of fresh) end()
  return reserved
}
