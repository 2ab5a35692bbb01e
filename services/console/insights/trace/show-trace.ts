/** GET /admin/courier/messages/{id}/trace. */
import type { Database } from '#libs/database'
import { findMessage, listDispatches } from '../../message-repository.ts'
import { checkId, notFound } from '../../show-message.ts'
import { traceSpans } from './trace-spans.ts'

/** @param traceUrl of the trace backend, with `{trace_id}`; empty for none. @throws REQUEST_INVALID, NOT_FOUND */
export async function showTrace(id: string, database: Database, traceUrl: string) {
  checkId(id)
  const row = await findMessage(database, id)
  if (row === undefined) throw notFound()
  const dispatches = await listDispatches(database, [row.id])
  const projectedAtMs = await findProjection(database, row.id, row.updated_at)
  const { trace_id } = row
  return {
    trace_id,
    url: traceUrl === '' || trace_id === null ? null : traceUrl.replaceAll('{trace_id}', trace_id),
    spans: traceSpans({ row, dispatches, projectedAtMs, nowMs: Date.now() }),
  }
}

/** Changes are kept for ten minutes, so that of an older event it is not known. */
async function findProjection(database: Database, id: string, since: Date): Promise<number | undefined> {
  const { rows } = await database.query<{ at: Date | null }>({
    text: `select min(at) as at from console.change
           where at >= $2::timestamptz and $2::timestamptz > now() - interval '9 minutes' and $1::uuid = any (ids)
             and exists (select from console.message where id = $1 and dispatch > 0)`,
    values: [id, since],
  })
  return rows[0]?.at?.getTime()
}
