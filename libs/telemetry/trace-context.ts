/** W3C trace context (https://www.w3.org/TR/trace-context/) as the strings that rows and headers carry, copied unchanged. */
import { randomBytes } from 'node:crypto'
import {
  type Context,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  TraceFlags,
  trace,
} from '@opentelemetry/api'

const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)

/** undefined where `text` is no valid traceparent. The context is remote. */
export function parseTraceparent(text: string, tracestate = ''): SpanContext | undefined {
  const [, version, traceId, spanId, flags] = TRACEPARENT.exec(text) ?? []
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (traceId === NO_TRACE || spanId === NO_SPAN || (version === '00' && text.length !== 55)) return undefined
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED,
    isRemote: true,
    ...(tracestate !== '' && { traceState: createTraceState(tracestate) }),
  }
}

/** A context whose active span is the one that `traceparent` names; the root context where it names none. */
export function contextOf(traceparent: string, tracestate = ''): Context {
  const parent = parseTraceparent(traceparent, tracestate)
  return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
}

/** The span's own context as a traceparent; a new, unsampled one where tracing is switched off. */
export function traceparentOf(span: Span): string {
  const context = span.spanContext()
  if (!isSpanContextValid(context)) return newTraceparent()
  return `00-${context.traceId}-${context.spanId}-${context.traceFlags & TraceFlags.SAMPLED ? '01' : '00'}`
}

/** A context of its own that nobody samples: an id for the logs of whatever came without one. */
export function newTraceparent(): string {
  const bytes = randomBytes(24)
  bytes[0] = (bytes[0] ?? 0) | 1 // all zeros is not an id
  bytes[16] = (bytes[16] ?? 0) | 1
  return `00-${bytes.toString('hex', 0, 16)}-${bytes.toString('hex', 16)}-00`
}

export function isSampled(traceparent: string): boolean {
  return traceparent.length >= 55 && (Number.parseInt(traceparent.slice(53, 55), 16) & 1) === 1
}

/** The 32 hex digits of a traceparent that was checked before. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35)
}

/** For log lines about a message: its trace and a span of it, as the OpenTelemetry log model names them; nothing where there is none. */
export function traceFields(traceparent: string | undefined): { trace_id?: string; span_id?: string } {
  const context = traceparent === undefined ? undefined : parseTraceparent(traceparent)
  return context === undefined ? {} : { trace_id: context.traceId, span_id: context.spanId }
}
