/** How the channels do: what couriers report of them, and their tries of the last minutes. */
import type { Tx } from '#libs/database'
import type { BlockedBy } from '../../message-repository.ts'

export interface ReportRow {
  readonly project_id: string
  readonly channel: string
  readonly blocked_by: BlockedBy | null
  /** Couriers that say so. */
  readonly couriers: number
}

export interface TriesRow {
  readonly project_id: string
  readonly channel: string
  readonly attempts: number
  readonly successes: number
  /** Of them, in the last minute. */
  readonly last_minute: number
}

export interface LastErrorRow {
  readonly project_id: string
  readonly channel: string
  readonly at: Date
  readonly class: string | null
  readonly reply_code: number | null
  readonly message: string | null
}

/** Tries that are looked at, newest first. */
export const MOST_TRIES = 20_000
const MOST_ERRORS = 1_000

/** @param pairs each once */
export async function findReports(
  tx: Tx,
  pairs: readonly Pick<ReportRow, 'project_id' | 'channel'>[],
): Promise<ReportRow[]> {
  const { rows } = await tx.query<ReportRow>({
    name: 'channel-health-reports',
    text: `select c.project_id, c.channel, courier.blocked_by(c.project_id, c.channel) as blocked_by,
             (select count(distinct r.owner)::int from courier.channel_report r
              where r.channel = c.channel and r.reported_at > clock_timestamp() - interval '15 s'
                and (r.project_id = c.project_id or r.project_id is null and c.project_id <> all (r.except_for))) as couriers
           from unnest($1::uuid[], $2::text[]) as c (project_id, channel)`,
    values: [pairs.map(({ project_id }) => project_id), pairs.map(({ channel }) => channel)],
  })
  return rows
}

/** Couriers that were alive within the last 15 s. */
export async function countCouriers(tx: Tx): Promise<number> {
  const { rows } = await tx.query<{ count: number }>({
    text: `select count(*)::int as count from courier.member where heartbeat_at > now() - interval '15 s'`,
  })
  return rows[0]?.count ?? 0
}

/** Of the last 15 minutes, by project and channel. */
export async function countTries(tx: Tx, project: string | null): Promise<TriesRow[]> {
  const { rows } = await tx.query<TriesRow>({
    name: 'channel-health-tries',
    text: `select m.project_id, m.channel, count(*)::int as attempts,
             count(*) filter (where d.state = 'sent')::int as successes,
             count(*) filter (where d.created_at > now() - interval '1 minute')::int as last_minute
           from (select message_id, state, created_at from console.dispatch
                 where created_at > now() - interval '15 minutes' order by created_at desc limit ${MOST_TRIES}) d
           join console.message m on m.id = d.message_id
           where $1::uuid is null or m.project_id = $1
           group by 1, 2`,
    values: [project],
  })
  return rows
}

/** The newest of each project and channel within the last day. */
export async function findLastErrors(tx: Tx, project: string | null): Promise<LastErrorRow[]> {
  const { rows } = await tx.query<LastErrorRow>({
    name: 'channel-health-errors',
    text: `select distinct on (m.project_id, m.channel) m.project_id, m.channel, d.created_at as at,
             d.failure_class as class, d.reply_code, d.error as message
           from (select message_id, created_at, failure_class, reply_code, error from console.dispatch
                 where state <> 'sent' and created_at > now() - interval '1 day'
                 order by created_at desc limit ${MOST_ERRORS}) d
           join console.message m on m.id = d.message_id
           where $1::uuid is null or m.project_id = $1
           order by m.project_id, m.channel, d.created_at desc`,
    values: [project],
  })
  return rows
}
