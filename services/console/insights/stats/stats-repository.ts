/** Counts over the read model. One pass over the messages of a span, none of them leaves the database. */
import type { Tx } from '#libs/database'

/** Messages of one column of the chart in one state, and how long those that were sent took, in logarithmic bins. */
export interface CountRow {
  readonly step: number
  readonly state: string
  /** `ln(ms) * BINS`, rounded; null where nothing was sent. */
  readonly bin: number | null
  readonly count: number
}

export interface Counted {
  /** Project; null for all. */
  readonly project: string | null
  readonly channel: string | null
  readonly fromMs: number
  readonly toMs: number
  readonly stepS: number
}

export interface FailedRow {
  readonly failure_class: string | null
  readonly reply_code: number | null
  readonly template_type: string | null
  readonly recipient_domain: string | null
  readonly provider: string | null
}

/** Bins per factor e: each is 2 % wide, so that a percentile is right to 1 %. */
export const BINS = 50
/** Tries without success that a breakdown looks at, newest first. */
export const MOST_FAILED = 10_000
/** Messages that wait for a next attempt are counted up to here. */
export const MOST_WAITING = 100_000

const OF_SPAN = 'created_at >= $1::timestamptz and created_at < $2::timestamptz'

/** How many messages the span has over all projects: by an index alone, for how much of it can be read. */
export async function countSpan(tx: Tx, fromMs: number, toMs: number): Promise<number> {
  const { rows } = await tx.query<{ count: number }>({
    name: 'stats-size',
    text: `select count(*) from console.message where ${OF_SPAN}`,
    values: [new Date(fromMs), new Date(toMs)],
  })
  return rows[0]?.count ?? 0
}

// A provider's feedback moves updated_at, so that the time of sending is that of the try. date_part, since numbers of
// extract are ten times slower here.
const COUNTS = `
  select s.slice / $7::int as step, m.state, m.bin, count(*)::int as count
  from generate_series(0, ceil(date_part('epoch', $2::timestamptz - $1::timestamptz) / $3::float8)::int - 1) s (slice)
  cross join lateral (select $1::timestamptz + s.slice * make_interval(secs => $3::float8) as at) b
  cross join lateral (
    select state, case when sent_at is not null
             then round(ln(greatest(1, date_part('epoch', sent_at - created_at) * 1000)) * ${BINS})::int end as bin
    from (
      select state, created_at, case
          when state = 'sent' then updated_at
          when state in ('delivered', 'bounced', 'complained') then (
            select min(d.created_at) from console.dispatch d where d.message_id = m.id and d.state = 'sent')
        end as sent_at
      from console.message m
      where created_at >= b.at and created_at < least(b.at + make_interval(secs => $3::float8 * $4::float8), $2::timestamptz)
        and ($5::uuid is null or project_id = $5) and ($6::text is null or channel = $6)
    ) t
  ) m
  group by 1, 2, 3`

/** So many pieces a column is read in, where not all of it is: what comes in bursts is met as often as the rest. */
const SLICES = 10

/** In a transaction of its own. @param share of each column that is read: 1 for all of it */
export async function countMessages(tx: Tx, counted: Counted, share: number): Promise<CountRow[]> {
  const { fromMs, toMs, stepS, project, channel } = counted
  const slices = share === 1 ? 1 : SLICES
  // The planner cannot see how short a slice is, and would read the whole table for each.
  await tx.query({ text: 'set local enable_seqscan = off' })
  const { rows } = await tx.query<CountRow>({
    text: COUNTS,
    values: [new Date(fromMs), new Date(toMs), stepS / slices, share, project, channel, slices],
  })
  return rows
}

/** Messages that are accepted and not in the read model yet. */
export async function countAccepted(tx: Tx, counted: Counted): Promise<CountRow[]> {
  const { fromMs, toMs, stepS, project, channel } = counted
  const { rows } = await tx.query<CountRow>({
    name: 'stats-accepted',
    text: `select floor(date_part('epoch', a.created_at - $1::timestamptz) / $5::float8)::int as step, 'queued' as state,
                  null::int as bin, count(*)::int as count
           from console.accepted a
           where ${OF_SPAN} and ($3::uuid is null or project_id = $3) and ($4::text is null or channel = $4)
             and not exists (select from console.message m where m.id = a.id)
           group by 1`,
    values: [new Date(fromMs), new Date(toMs), project, channel, stepS],
  })
  return rows
}

/** Of now, whenever they were accepted. */
export async function countWaiting(tx: Tx, { project, channel }: Counted): Promise<number> {
  const { rows } = await tx.query<{ count: number }>({
    name: 'stats-waiting',
    text: `select count(*)::int as count from (
             select from console.message
             where state not in ('sent', 'delivered') and state = 'deferred' and created_at > now() - interval '6 days'
               and ($1::uuid is null or project_id = $1) and ($2::text is null or channel = $2)
             limit ${MOST_WAITING}
           ) w`,
    values: [project, channel],
  })
  return rows[0]?.count ?? 0
}

/** Tries of the span without success, newest first. @returns whether there were more than MOST_FAILED, of which the rest was not looked at */
export async function listFailed(
  tx: Tx,
  { fromMs, toMs, project, channel }: Counted,
): Promise<{ readonly failed: readonly FailedRow[]; readonly isCapped: boolean }> {
  const { rows } = await tx.query<FailedRow & { readonly read: number; readonly is_asked: boolean | null }>({
    name: 'stats-failed',
    text: `with d as materialized (
             select message_id, failure_class, reply_code, provider from console.dispatch
             where state <> 'sent' and ${OF_SPAN} order by created_at desc limit ${MOST_FAILED}
           )
           select n.read, f.* from (select count(*)::int as read from d) n
           left join (
             select true as is_asked, d.failure_class, d.reply_code, m.template_type, m.recipient_domain, d.provider
             from d left join console.message m on m.id = d.message_id
             where ($3::uuid is null or m.project_id = $3) and ($4::text is null or m.channel = $4)
           ) f on true`,
    values: [new Date(fromMs), new Date(toMs), project, channel],
  })
  return { failed: rows.filter(({ is_asked }) => is_asked), isCapped: (rows[0]?.read ?? 0) >= MOST_FAILED }
}
