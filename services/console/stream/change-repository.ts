/** Which messages changed since a moment: exact in whatever order transactions commit, since a moment is what was visible then. */
import { pgCode, type Tx } from '#libs/database'

/** A moment: seconds since the epoch by the database's clock, and the snapshot of what was visible. As text it is an event id. */
export interface Moment {
  readonly atS: number
  readonly snapshot: string
}

export interface Changes {
  readonly until: Moment
  /** Each once; at most `limit`. */
  readonly ids: readonly string[]
}

/** Rows are kept for ten minutes by when they were written, which may be well before their commit. */
const KEPT_S = 300
const MOMENT = /^(\d{1,12})\.(\d{1,19}:\d{1,19}:[\d,]{0,2000})$/
const INVALID_TEXT = '22P02'

export function momentText({ atS, snapshot }: Moment): string {
  return `${atS}.${snapshot}`
}

export function parseMoment(text: string): Moment | undefined {
  const [, at, snapshot] = MOMENT.exec(text) ?? []
  return at === undefined || snapshot === undefined ? undefined : { atS: Number(at), snapshot }
}

export async function currentMoment(database: Tx): Promise<Moment> {
  const { rows } = await database.query<Moment>({
    name: 'current-moment',
    text: `select extract(epoch from clock_timestamp())::bigint as "atS", pg_current_snapshot()::text as snapshot`,
  })
  return rows[0]!
}

/** Whether everything since then is still here; false for what no database of this history ever said. */
export async function isKept(database: Tx, { atS, snapshot }: Moment): Promise<boolean> {
  try {
    const { rows } = await database.query<{ kept: boolean }>({
      text: `select $1::bigint > extract(epoch from clock_timestamp()) - $2::integer
                and pg_snapshot_xmax($3::pg_snapshot) <= pg_snapshot_xmax(pg_current_snapshot()) as kept`,
      values: [atS, KEPT_S, snapshot],
    })
    return rows[0]?.kept === true
  } catch (error) {
    if (pgCode(error) === INVALID_TEXT) return false
    throw error
  }
}

/** What became visible since. */
export async function readChanges(database: Tx, since: Moment, limit: number): Promise<Changes> {
  const { rows } = await database.query<Moment & { ids: string[] }>({
    name: 'read-changes',
    text: `select extract(epoch from clock_timestamp())::bigint as "atS", pg_current_snapshot()::text as snapshot,
             array(select distinct id from console.change c cross join lateral unnest(c.ids) id
                   where c.xid >= pg_snapshot_xmin($1::pg_snapshot) and not pg_visible_in_snapshot(c.xid, $1::pg_snapshot)
                   order by id limit $2) as ids`,
    values: [since.snapshot, limit],
  })
  const { atS, snapshot, ids } = rows[0]!
  return { until: { atS, snapshot }, ids }
}
