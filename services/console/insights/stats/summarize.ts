/** From counts by column, state and bin to totals, series and percentiles. Pure. */
import { BINS, type CountRow, type FailedRow } from './stats-repository.ts'

export interface Totals {
  readonly accepted: number
  /** Taken by a server, whatever was heard of it later. */
  readonly sent: number
  readonly queued: number
  readonly deferred: number
  /** Given up. */
  readonly failed: number
  readonly expired: number
  readonly held: number
  readonly suppressed: number
  readonly superseded: number
  readonly cancelled: number
  readonly delivered: number
  readonly bounced: number
  readonly complained: number
  readonly p50_ms: number | null
  readonly p95_ms: number | null
  readonly p99_ms: number | null
}

export interface Bar {
  readonly key: string
  readonly count: number
}

/** Still `sent` for whoever counts what a server took. */
const SENT: readonly string[] = ['sent', 'delivered', 'bounced', 'complained']
const FAILED: readonly string[] = ['abandoned', 'expired']
const MOST_BARS = 10

/** @param factor what one row that was read stands for */
export function totalsOf(rows: readonly CountRow[], factor: number): Totals {
  const of = (...states: readonly string[]) => counted(rows, factor, states)
  const [p50_ms, p95_ms, p99_ms] = percentiles(rows)
  return {
    accepted: counted(rows, factor),
    sent: of(...SENT),
    queued: of('queued'),
    deferred: of('deferred'),
    failed: of('abandoned'),
    expired: of('expired'),
    held: of('held'),
    suppressed: of('suppressed'),
    superseded: of('superseded'),
    cancelled: of('cancelled'),
    delivered: of('delivered'),
    bounced: of('bounced'),
    complained: of('complained'),
    p50_ms: p50_ms ?? null,
    p95_ms: p95_ms ?? null,
    p99_ms: p99_ms ?? null,
  }
}

/** One column of the chart: accepted is the sum of the others. */
export function columnOf(rows: readonly CountRow[], factor: number) {
  const accepted = counted(rows, factor)
  const sent = counted(rows, factor, SENT)
  const deferred = counted(rows, factor, ['deferred'])
  const failed = counted(rows, factor, FAILED)
  return { accepted, sent, deferred, failed, other: Math.max(0, accepted - sent - deferred - failed) }
}

/** The 50th, 95th and 99th of what was sent, in ms; right to 1 %. Empty where nothing was. */
export function percentiles(rows: readonly CountRow[]): number[] {
  const bins = new Map<number, number>()
  for (const { bin, count } of rows) if (bin !== null) bins.set(bin, (bins.get(bin) ?? 0) + count)
  const sorted = [...bins].sort(([a], [b]) => a - b)
  const all = sorted.reduce((sum, [, count]) => sum + count, 0)
  return all === 0 ? [] : [0.5, 0.95, 0.99].map((share) => valueAt(sorted, Math.ceil(all * share)))
}

/** The most frequent values of each kind. */
export function breakdownOf(failed: readonly FailedRow[]) {
  return {
    class: barsOf(failed.map((row) => row.failure_class)),
    reply_code: barsOf(failed.map((row) => row.reply_code)),
    template: barsOf(failed.map((row) => row.template_type)),
    domain: barsOf(failed.map((row) => row.recipient_domain)),
    provider: barsOf(failed.map((row) => row.provider)),
  }
}

function counted(rows: readonly CountRow[], factor: number, states?: readonly string[]): number {
  const chosen = states === undefined ? rows : rows.filter(({ state }) => states.includes(state))
  return Math.round(chosen.reduce((sum, { count }) => sum + count, 0) * factor)
}

function valueAt(sorted: readonly (readonly [bin: number, count: number])[], place: number): number {
  let seen = 0
  for (const [bin, count] of sorted) {
    seen += count
    if (seen >= place) return Math.round(Math.exp(bin / BINS))
  }
  return 0
}

function barsOf(values: readonly (string | number | null)[]): Bar[] {
  const counts = new Map<string, number>()
  for (const value of values) if (value !== null) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1)
  return [...counts]
    .map(([key, count]) => ({ key, count }))
    .sort((a, b) => b.count - a.count || (a.key < b.key ? -1 : 1))
    .slice(0, MOST_BARS)
}
