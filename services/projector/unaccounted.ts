/** Finds messages that nobody accounts for: their life is over, and no state says how they ended. There must never be one. */
import type { Database } from '#libs/database'

/** What a courier needs to conclude an expired message, many times over. */
const GRACE = '10 minutes'
const LIMIT = 1_000

export interface Unaccounted {
  /** Up to 1,000. */
  readonly count: number
  /** Of the oldest few. */
  readonly ids: readonly string[]
}

/** Also what the console accepted and no topic brought. Walks over the messages that are not simply sent, by their index. */
export async function findUnaccounted(database: Pick<Database, 'query'>): Promise<Unaccounted> {
  const { rows } = await database.query<{ count: number; ids: string[] | null }>({
    name: 'find-unaccounted',
    text: `with lost as (
             (select id, created_at from console.message
              where state not in ('sent', 'delivered') and state in ('queued', 'deferred', 'held')
                and expires_at < now() - interval '${GRACE}'
              order by created_at, id limit ${LIMIT})
             union all
             (select id, created_at from console.accepted where expires_at < now() - interval '${GRACE}'
              order by created_at, id limit ${LIMIT})
           )
           select count(*)::int as count, (array_agg(id::text order by created_at))[1:10] as ids from lost`,
  })
  return { count: rows[0]?.count ?? 0, ids: rows[0]?.ids ?? [] }
}
