/** What couriers share about channels: the rate of each server, and what stands in the way of each channel. The only SQL on both. */
import type { Tx } from '#libs/database'
import type { RateLimit } from './admission/shared-rate.ts'

export interface ChannelReport {
  /** null: the operator's channel. */
  readonly projectId: string | null
  /** Projects that have a channel of this kind of their own; of the operator's channel only. */
  readonly exceptFor: readonly string[]
  readonly channel: string
  readonly class: string
  readonly replyCode: number | null
  readonly enhancedCode: string | null
  readonly message: string
  readonly since: Date
  readonly nextProbeAt: Date
}

/** @param wanted a negative number gives tokens back. @returns how many were granted, none or all or less. */
export async function takeTokens(
  database: Tx,
  key: string,
  { perSecond, burst }: RateLimit,
  wanted: number,
): Promise<number> {
  const { rows } = await database.query<{ granted: number }>({
    name: 'rate-take',
    text: 'select courier.take_tokens($1, $2, $3, $4) as granted',
    values: [key, perSecond, burst, wanted],
  })
  return rows[0]?.granted ?? 0
}

// A blocked channel that opened has no row any more; what is still blocked is told again, so that it counts as fresh.
const REPLACE_REPORTS = `
  with item as (
    select * from unnest($2::uuid[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[],
                         $10::text[])
      as i (project_id, channel, class, reply_code, enhanced_code, message, since, next_probe_at, except_for)
  ), opened as (
    delete from courier.channel_report r
    where r.owner = $1
      and not exists (select from item i where i.project_id is not distinct from r.project_id and i.channel = r.channel)
  )
  insert into courier.channel_report
    (owner, project_id, channel, class, reply_code, enhanced_code, message, since, next_probe_at, except_for)
  select $1, project_id, channel, class, reply_code, enhanced_code, message, since, next_probe_at, except_for::uuid[] from item
  on conflict (owner, project_id, channel) do update
    set class = excluded.class, reply_code = excluded.reply_code, enhanced_code = excluded.enhanced_code,
        message = excluded.message, since = excluded.since, next_probe_at = excluded.next_probe_at,
        except_for = excluded.except_for, reported_at = clock_timestamp()`

/** Puts these in the place of what `owner` said before. It has to be a member: its reports go when it does. */
export async function replaceReports(database: Tx, owner: string, reports: readonly ChannelReport[]): Promise<void> {
  await database.query({
    name: 'channel-reports',
    text: REPLACE_REPORTS,
    values: [
      owner,
      reports.map((r) => r.projectId),
      reports.map((r) => r.channel),
      reports.map((r) => r.class),
      reports.map((r) => r.replyCode),
      reports.map((r) => r.enhancedCode),
      reports.map((r) => r.message),
      reports.map((r) => r.since),
      reports.map((r) => r.nextProbeAt),
      // A list for each row: unnest would join lists of lists.
      reports.map((r) => `{${r.exceptFor.join(',')}}`),
    ],
  })
}
