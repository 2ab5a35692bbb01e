/** The way of one message as spans, from what the read model knows of it. Pure; whole also where no trace backend kept it. */
import { isTerminal } from '#libs/messages'
import type { DispatchRow, MessageRow } from '../../message-repository.ts'

export interface TraceSpan {
  readonly id: string
  readonly parent: string | null
  readonly name: string
  readonly service: string
  readonly started_at: string
  readonly duration_ms: number
  readonly error: boolean
  readonly note: string | null
}

export interface Traced {
  readonly row: MessageRow
  /** In any order. */
  readonly dispatches: readonly DispatchRow[]
  /** When the read model took in the last event; undefined where that is not known any more. */
  readonly projectedAtMs: number | undefined
  readonly nowMs: number
}

/** One try on the clock. */
interface Try {
  readonly row: DispatchRow
  readonly startMs: number
  readonly endMs: number
  readonly durations: Readonly<Record<string, number>>
}

const ROOT = 'message'
/** Parts of a phase, in their order; they are only shown where they are known. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  connect: ['dns', 'tcp', 'tls', 'auth'],
  send: ['mail', 'data', 'dot', 'request', 'response'],
}

/** By their start; the first one is the parent of all. */
export function traceSpans(traced: Traced): TraceSpan[] {
  const { row, projectedAtMs, nowMs } = traced
  const createdMs = row.created_at.getTime()
  const tries = traced.dispatches.map(tryOf).sort((a, b) => a.endMs - b.endMs || a.row.dispatch - b.row.dispatch)
  const lastMs = Math.max(row.updated_at.getTime(), ...tries.map(({ endMs }) => endMs))
  const isOver = isTerminal(row.state)
  const endMs = isOver ? lastMs : Math.max(lastMs, nowMs)
  const root = {
    ...span(ROOT, null, row.template_type, 'postrider', createdMs, endMs),
    error: ['abandoned', 'expired', 'bounced'].includes(row.state),
    note: row.state,
  }
  const waits = waitsOf(createdMs, tries, isOver ? lastMs : endMs, row)
  const projection =
    projectedAtMs === undefined
      ? []
      : [span('projection', ROOT, 'project the status', 'projector', lastMs, projectedAtMs)]
  const children = [...waits, ...tries.flatMap(spansOfTry), ...projection]
  return [root, ...children.sort((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at))]
}

function tryOf(row: DispatchRow): Try {
  const durations = row.durations ?? { send: row.duration_ms ?? 0 }
  const { queue = 0, connect = 0, send = 0 } = durations
  const endMs = row.created_at.getTime()
  return { row, durations, endMs, startMs: endMs - Math.max(0, queue) - connect - send }
}

/** Outside of the couriers' hands: before the first try, between two, and after the last one while it is not over. */
function waitsOf(createdMs: number, tries: readonly Try[], endMs: number, row: MessageRow): TraceSpan[] {
  const [first] = tries
  const outbox = span('outbox', ROOT, 'outbox and topic', 'relay', createdMs, first?.startMs ?? endMs)
  const between = tries.slice(1).map((next, index) => waitBehind(tries[index]!, next.startMs))
  const last = tries.at(-1)
  const isWaiting = last !== undefined && endMs > last.endMs && !isTerminal(row.state)
  return [outbox, ...between, ...(isWaiting ? [waitBehind(last, endMs)] : [])]
}

function waitBehind({ row, endMs }: Try, untilMs: number): TraceSpan {
  const at = row.next_attempt_at
  const wait = span(`wait ${keyOf(row)}`, ROOT, 'wait for the next attempt', 'courier', endMs, untilMs)
  return { ...wait, note: at === null ? row.decision : `planned for ${at.toISOString()}` }
}

function spansOfTry({ row, startMs, endMs, durations }: Try): TraceSpan[] {
  const id = `attempt ${keyOf(row)}`
  const attempt = {
    ...span(id, ROOT, `attempt ${row.dispatch}`, 'courier', startMs, endMs),
    error: row.state !== 'sent',
    note: noteOf(row),
  }
  const phases: TraceSpan[] = []
  let atMs = startMs
  for (const name of ['queue', 'connect', 'send']) {
    const tookMs = durations[name]
    if (tookMs === undefined || tookMs < 0) continue
    const phase = span(`${id} ${name}`, id, name, 'courier', atMs, atMs + tookMs)
    phases.push(phase, ...partsOf(phase, name, durations, atMs))
    atMs += tookMs
  }
  return [attempt, ...phases]
}

function partsOf(phase: TraceSpan, name: string, durations: Try['durations'], startMs: number): TraceSpan[] {
  let atMs = startMs
  return (PARTS[name] ?? []).flatMap((part) => {
    const tookMs = durations[part]
    if (tookMs === undefined) return []
    const found = span(`${phase.id} ${part}`, phase.id, part, 'courier', atMs, atMs + tookMs)
    atMs += tookMs
    return found
  })
}

function noteOf({ reply_code, enhanced_code, failure_class, provider, worker }: DispatchRow): string | null {
  const reply = [reply_code, enhanced_code].filter((part) => part !== null).join(' ')
  const words = [provider, reply, failure_class?.replaceAll('_', ' '), worker].filter((part) => part)
  return words.length === 0 ? null : words.join(' · ')
}

function keyOf({ dispatch, state }: DispatchRow): string {
  return `${dispatch} ${state}`
}

function span(
  id: string,
  parent: string | null,
  name: string,
  service: string,
  startMs: number,
  endMs: number,
): TraceSpan {
  return {
    id,
    parent,
    name,
    service,
    started_at: new Date(startMs).toISOString(),
    // Clocks of several machines may disagree by a little.
    duration_ms: Math.max(0, Math.round(endMs - startMs)),
    error: false,
    note: null,
  }
}
