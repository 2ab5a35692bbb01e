/** GET /admin/courier/stats: what became of the messages that were accepted within a span, and what went wrong meanwhile. */
import type { Database, Tx } from '#libs/database'
import { bounded } from '../../list-messages.ts'
import type { Span } from './read-span.ts'
import {
  type Counted,
  type CountRow,
  countAccepted,
  countMessages,
  countSpan,
  countWaiting,
  listFailed,
} from './stats-repository.ts'
import { breakdownOf, columnOf, percentiles, totalsOf } from './summarize.ts'

/** Read within some half a second on two busy cores; of more, parts of each column stand for all of it. */
const MOST_READ = 60_000

export interface StatsRequest {
  readonly span: Span
  readonly project: string | null
  readonly channel: string | null
}

interface Read {
  readonly rows: readonly CountRow[]
  readonly share: number
}

/** @throws REQUEST_INVALID where even that takes longer than 5 s */
export async function showStats({ span, project, channel }: StatsRequest, database: Database) {
  const { fromMs, toMs, stepS } = span
  const counted: Counted = { project, channel, ...span }
  const before: Counted = { ...counted, fromMs: fromMs - (toMs - fromMs), toMs: fromMs }
  const [now, previous, waiting, { failed, isCapped }] = await Promise.all([
    bounded(database, (tx) => read(tx, counted, MOST_READ)),
    bounded(database, (tx) => read(tx, before, MOST_READ / 2)),
    bounded(database, (tx) => countWaiting(tx, counted)),
    bounded(database, (tx) => listFailed(tx, counted)),
  ])
  const byStep = Map.groupBy(now.rows, ({ step }) => step)
  const steps = Array.from({ length: Math.ceil((toMs - fromMs) / 1_000 / stepS) }, (_, step) => ({
    at: new Date(fromMs + step * stepS * 1_000).toISOString(),
    rows: byStep.get(step) ?? [],
  }))
  return {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    step_s: stepS,
    /** Share of the messages that was read and stands for all; 1: the numbers are exact. */
    sampled: { share: now.share, previous_share: previous.share, failed_attempts_capped: isCapped },
    totals: { ...totalsOf(now.rows, 1 / now.share), deferred_now: waiting },
    previous: { ...totalsOf(previous.rows, 1 / previous.share), deferred_now: null },
    series: steps.map(({ at, rows }) => ({ at, ...columnOf(rows, 1 / now.share) })),
    time_to_sent: steps.map(({ at, rows }) => ({ at, ...timesOf(rows) })),
    failed_attempts: failed.length,
    breakdown: breakdownOf(failed),
  }
}

async function read(tx: Tx, counted: Counted, most: number): Promise<Read> {
  const size = await countSpan(tx, counted.fromMs, counted.toMs)
  const share = size <= most ? 1 : Math.floor((most / size) * 1_000) / 1_000
  const projected = await countMessages(tx, counted, Math.max(share, 0.001))
  const accepted = share === 1 ? await countAccepted(tx, counted) : []
  return { rows: [...projected, ...accepted], share: Math.max(share, 0.001) }
}

function timesOf(rows: readonly CountRow[]) {
  const [p50 = null, p95 = null, p99 = null] = percentiles(rows)
  return { p50, p95, p99 }
}
