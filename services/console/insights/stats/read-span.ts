/** Reads which span of time and which channel statistics are asked for. */
import { CodedError } from '#libs/errors'
import { CHANNELS } from '#libs/messages'

export interface Span {
  readonly fromMs: number
  readonly toMs: number
  readonly stepS: number
}

export interface SpanQuery {
  readonly from?: string
  readonly to?: string
  readonly channel?: string
}

const HOUR_MS = 3_600_000
const LONGEST_MS = 7 * 24 * HOUR_MS
/** Columns of a chart. */
const MOST_STEPS = 90
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200]
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$/

/** The last hour unless said otherwise. @throws REQUEST_INVALID naming the parameter */
export function readSpan({ from, to }: SpanQuery, nowMs: number): Span {
  const toMs = readInstant(to, 'to') ?? nowMs
  const fromMs = readInstant(from, 'from') ?? toMs - HOUR_MS
  const lengthMs = toMs - fromMs
  if (lengthMs < 1_000) throw invalid('from', 'expected an instant at least one second before to')
  if (lengthMs > LONGEST_MS) throw invalid('from', 'expected an instant at most 7 days before to')
  return { fromMs, toMs, stepS: STEPS_S.find((stepS) => lengthMs / 1_000 / stepS <= MOST_STEPS) ?? 7_200 }
}

/** null for all. @throws REQUEST_INVALID */
export function readChannel({ channel }: SpanQuery): string | null {
  if (channel === undefined || channel === '') return null
  if (!CHANNELS.some((each) => each === channel)) throw invalid('channel', `expected ${CHANNELS.join(' or ')}`)
  return channel
}

function readInstant(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === '') return undefined
  // A + that stands for a blank in a query.
  const instant = text.replace(/ (\d\d:\d\d)$/, '+$1')
  const ms = RFC_3339.test(instant) ? Date.parse(instant) : Number.NaN
  if (Number.isNaN(ms)) throw invalid(name, 'expected an RFC 3339 time such as 2030-01-31T12:00:00Z')
  return ms
}

function invalid(field: string, problem: string): CodedError {
  return new CodedError('REQUEST_INVALID', `${field}: ${problem}`, { details: { field } })
}
