import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type SpanContext,
  type SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'

export interface RecordedEvent {
  readonly name: string
  readonly attributes?: Attributes
}

export interface RecordedSpan {
  readonly name: string
  readonly kind: SpanKind
  readonly parent?: Context | SpanContext
  /** Epoch ms. */
  readonly startTime: number
  /** Epoch ms. */
  readonly endTime: number
  readonly attributes?: Attributes
  readonly links?: readonly SpanContext[]
  /** Of its end. */
  readonly events?: readonly RecordedEvent[]
  /** `error.type`: marks the span as failed. */
  readonly error?: string
}

/** Records what is over, from its times. @returns the context for its children */
export function recordSpan(tracer: Tracer, recorded: RecordedSpan): SpanContext {
  const { name, kind, startTime, attributes, links = [], events = [], error } = recorded
  const span = tracer.startSpan(
    name,
    { kind, startTime, ...(attributes && { attributes }), links: links.map((context) => ({ context })) },
    parentOf(recorded.parent),
  )
  if (error !== undefined) {
    span.setAttribute('error.type', error)
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  // Clocks of two processes may differ by a little; a span never ends before it starts.
  const endTime = Math.max(startTime, recorded.endTime)
  for (const event of events) span.addEvent(event.name, event.attributes, endTime)
  span.end(endTime)
  return span.spanContext()
}

function parentOf(parent: Context | SpanContext | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT
  return 'traceId' in parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : parent
}
