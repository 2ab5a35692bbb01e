/** A trace as lines of text. */
import type { TraceSpan } from '../../services/console/insights/trace/trace-spans.ts'

export interface Trace {
  readonly trace_id: string | null
  /** Of the trace backend; null where none is configured. */
  readonly url: string | null
  readonly spans: readonly TraceSpan[]
}

export interface WaterfallOptions {
  /** Columns of the terminal. */
  readonly width: number
  readonly hasColor: boolean
}

const MIN_BAR = 10
const MAX_DEPTH = 10
/** Eighths of a cell. */
const BLOCKS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█']
const RED = '\u001b[31m'
const GREEN = '\u001b[32m'
const FAINT = '\u001b[2m'
const PLAIN = '\u001b[0m'

/** One line per span: its name below that of its parent, service, duration, and where it lies in the whole. */
export function waterfall(trace: Trace, { width, hasColor }: WaterfallOptions): string {
  const spans = inOrder(trace.spans)
  const head = [`trace ${trace.trace_id ?? 'unknown'}`, ...(trace.url === null ? [] : [trace.url])]
  if (spans.length === 0) return [...head, '', 'Nothing happened yet.'].join('\n')
  const paint = (text: string, color: string): string => (hasColor ? `${color}${text}${PLAIN}` : text)
  const startMs = Math.min(...spans.map(({ span }) => startOf(span)))
  const wholeMs = Math.max(1, ...spans.map(({ span }) => startOf(span) + span.duration_ms - startMs))
  const names = columnOf(
    spans.map(({ span, depth }) => `${'  '.repeat(depth)}${plain(span.name)}`),
    Math.floor(width / 3),
  )
  const services = columnOf(
    spans.map(({ span }) => plain(span.service)),
    12,
  )
  const times = spans.map(({ span }) => durationText(span.duration_ms))
  const timeWidth = Math.max(...times.map((text) => text.length))
  const barWidth = Math.max(MIN_BAR, width - names[0]!.length - services[0]!.length - timeWidth - 8)
  const lines = spans.flatMap(({ span, depth }, index) => {
    const bar = barOf((startOf(span) - startMs) / wholeMs, span.duration_ms / wholeMs, barWidth)
    const mark = span.error ? paint('✕', RED) : ' '
    const cells = [names[index], paint(services[index]!, FAINT), times[index]!.padStart(timeWidth)]
    const line = `${mark} ${cells.join('  ')}  ${paint(bar, span.error ? RED : GREEN)}`
    const note = span.note === null ? [] : [paint(cut(`  ${'  '.repeat(depth + 1)}${plain(span.note)}`, width), FAINT)]
    return [hasColor ? line : line.trimEnd(), ...note]
  })
  return [...head, '', ...lines].join('\n')
}

/** Children right below their parent, by their start; those of a parent that is missing count as roots. */
function inOrder(spans: readonly TraceSpan[]): { span: TraceSpan; depth: number }[] {
  const ids = new Set(spans.map(({ id }) => id))
  const isRoot = ({ parent }: TraceSpan): boolean => parent === null || !ids.has(parent)
  const below = (parent: string | null, depth: number): { span: TraceSpan; depth: number }[] =>
    spans
      .filter((span) => (parent === null ? isRoot(span) : !isRoot(span) && span.parent === parent))
      .sort((a, b) => startOf(a) - startOf(b))
      .flatMap((span) => [{ span, depth }, ...(depth < MAX_DEPTH ? below(span.id, depth + 1) : [])])
  return below(null, 0)
}

function startOf({ started_at }: TraceSpan): number {
  return Date.parse(started_at)
}

/** @param offset @param share both in 0 … 1 of the width */
function barOf(offset: number, share: number, width: number): string {
  const eighths = Math.max(1, Math.round(share * width * 8))
  const from = Math.min(width - 1, Math.floor(offset * width))
  const length = Math.min(eighths, (width - from) * 8)
  return `${' '.repeat(from)}${'█'.repeat(Math.floor(length / 8))}${BLOCKS[length % 8]}`
}

/** Texts cut and filled to one width. */
function columnOf(texts: readonly string[], most: number): string[] {
  const width = Math.min(most, Math.max(...texts.map((text) => text.length)))
  return texts.map((text) => cut(text, width).padEnd(width))
}

function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text
}

function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ')
}

export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)}m ${Math.round((ms % 60_000) / 1_000)}s`
}
