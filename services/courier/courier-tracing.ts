/**
 * Spans of a delivery, made from its timestamps when it is concluded, and only for messages whose trace is sampled.
 * `process` stays open until the status event is durable; claim, attempt, render and the dialogue are its finished children.
 */
import { type Attributes, type Span, type SpanContext, SpanKind, type Tracer } from '@opentelemetry/api'
import type { Decision } from '#libs/delivery'
import { contextOf, isSampled, newTraceparent, parseTraceparent, recordSpan, traceparentOf } from '#libs/telemetry'
import type { AttemptResult } from './channels/channel.ts'
import type { Delivery } from './delivery.ts'
import type { TryResult } from './try-result.ts'

export interface DeliverySpans {
  /** Context of the span that publishes the status event. */
  readonly traceparent: string
  /** Ends the open spans: the event is durable. */
  readonly end: () => void
}

export interface CourierTracing {
  /** undefined when the message's trace is not sampled. */
  readonly spansOf: (delivery: Delivery, result: TryResult, decision: Decision) => DeliverySpans | undefined
}

export interface TracingOptions {
  readonly tracer: Tracer
  readonly topicOf: (delivery: Delivery) => string
  readonly statusTopic: string
  readonly group: string
}

/** The record's own context; a new, unsampled one where it has none that can be read. */
export function traceparentOrNew(traceparent: string | undefined): string {
  return traceparent !== undefined && parseTraceparent(traceparent) !== undefined ? traceparent : newTraceparent()
}

export function openCourierTracing(options: TracingOptions): CourierTracing {
  return {
    spansOf: (delivery, result, decision) =>
      isSampled(delivery.traceparent) ? startSpans(delivery, result, decision, options) : undefined,
  }
}

function startSpans(delivery: Delivery, result: TryResult, decision: Decision, options: TracingOptions): DeliverySpans {
  const { tracer, statusTopic } = options
  const creation = parseTraceparent(delivery.traceparent)
  const parent = contextOf(delivery.traceparent, delivery.tracestate)
  const processing = tracer.startSpan(
    `process ${options.topicOf(delivery)}`,
    {
      kind: SpanKind.CONSUMER,
      startTime: delivery.receivedAtMs,
      attributes: processAttributes(delivery, options),
      links: creation === undefined ? [] : [{ context: creation }],
    },
    parent,
  )
  recordChildren(tracer, processing.spanContext(), delivery, result, decision)
  const sending = startSend(tracer, processing, delivery, statusTopic)
  return {
    traceparent: traceparentOf(sending),
    end: () => {
      sending.end()
      processing.end()
    },
  }
}

function processAttributes(delivery: Delivery, { topicOf, group }: TracingOptions): Attributes {
  return {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': topicOf(delivery),
    'messaging.consumer.group.name': group,
    'messaging.message.id': delivery.record.id,
    'courier.template_type': delivery.record.template_type,
    'courier.channel': delivery.record.channel,
  }
}

function recordChildren(
  tracer: Tracer,
  parent: SpanContext,
  delivery: Delivery,
  result: TryResult,
  decision: Decision,
): void {
  const { attempt, failure, renderMs } = result
  recordSpan(tracer, {
    name: 'claim',
    kind: SpanKind.INTERNAL,
    parent,
    startTime: Math.min(delivery.receivedAtMs, delivery.claimedAtMs),
    endTime: delivery.claimedAtMs,
    attributes: { 'courier.claim.result': delivery.reclaims > 0 ? 'reclaimed' : 'won' },
  })
  const endTime =
    attempt === undefined ? Date.now() : attempt.startedAt + (attempt.timings.connectMs ?? 0) + attempt.timings.sendMs
  const startTime = (attempt?.startedAt ?? endTime) - (renderMs ?? 0)
  const attemptSpan = recordSpan(tracer, {
    name: 'attempt',
    kind: SpanKind.INTERNAL,
    parent,
    startTime,
    endTime,
    attributes: {
      'courier.message.id': delivery.record.id,
      'courier.attempt': delivery.dispatch,
      'courier.channel': delivery.record.channel,
      'courier.retry.decision': decision.kind,
      ...(failure !== undefined && { 'courier.failure.class': failure.class }),
    },
    ...(failure !== undefined && { error: errorType(failure.replyCode, failure.class) }),
  })
  if (renderMs !== undefined) {
    recordSpan(tracer, {
      name: `render ${delivery.record.template_type}`,
      kind: SpanKind.INTERNAL,
      parent: attemptSpan,
      startTime,
      endTime: startTime + renderMs,
    })
  }
  if (attempt === undefined) return
  if (attempt.method === undefined) recordDialogue(tracer, attemptSpan, attempt)
  else recordRequest(tracer, attemptSpan, attempt, attempt.method, delivery.dispatch - 1)
}

function recordDialogue(tracer: Tracer, parent: SpanContext, attempt: AttemptResult): void {
  const { peer, reply, failure, timings, startedAt } = attempt
  const attributes = peerAttributes('smtp', attempt)
  const place = peer === undefined ? '' : ` ${peer.host}:${peer.port}`
  const connectMs = timings.connectMs ?? 0
  const error = failure === undefined ? {} : { error: errorType(failure.replyCode, failure.class) }
  if (timings.connectMs !== undefined) {
    const failedHere = failure !== undefined && reply === undefined
    recordSpan(tracer, {
      name: `smtp connect${place}`,
      kind: SpanKind.CLIENT,
      parent,
      startTime: startedAt,
      endTime: startedAt + connectMs,
      attributes,
      ...(failedHere && error),
    })
  }
  recordSpan(tracer, {
    name: `smtp send${place}`,
    kind: SpanKind.CLIENT,
    parent,
    startTime: startedAt + connectMs,
    endTime: startedAt + connectMs + timings.sendMs,
    attributes: {
      ...attributes,
      'connection.reused': attempt.reused,
      ...(reply !== undefined && { 'courier.smtp.reply_code': reply.code, 'courier.smtp.command': reply.command }),
      ...(reply?.enhanced !== undefined && { 'courier.smtp.enhanced_code': reply.enhanced }),
    },
    ...error,
  })
}

/** Named and attributed as the semantic conventions for HTTP clients have it; without the URL, which may hold credentials. */
function recordRequest(
  tracer: Tracer,
  parent: SpanContext,
  attempt: AttemptResult,
  method: string,
  resends: number,
): void {
  const { reply, failure, reused, timings, startedAt } = attempt
  recordSpan(tracer, {
    name: method,
    kind: SpanKind.CLIENT,
    parent,
    startTime: startedAt,
    endTime: startedAt + (timings.connectMs ?? 0) + timings.sendMs,
    attributes: {
      ...peerAttributes('http', attempt),
      'http.request.method': method,
      'connection.reused': reused,
      ...(reply !== undefined && { 'http.response.status_code': reply.code }),
      ...(resends > 0 && { 'http.request.resend_count': resends }),
    },
    ...(failure !== undefined && { error: errorType(failure.replyCode, failure.class) }),
  })
}

function peerAttributes(protocol: string, { peer }: AttemptResult): Attributes {
  return {
    'network.protocol.name': protocol,
    ...(peer !== undefined && { 'server.address': peer.host, 'server.port': peer.port }),
    ...(peer?.address !== undefined && { 'network.peer.address': peer.address }),
    ...(peer?.tls !== undefined && { 'tls.protocol.version': peer.tls }),
  }
}

function startSend(tracer: Tracer, parent: Span, { record }: Delivery, topic: string): Span {
  return tracer.startSpan(
    `send ${topic}`,
    {
      kind: SpanKind.PRODUCER,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': topic,
        'messaging.message.id': record.id,
      },
    },
    contextOf(traceparentOf(parent)),
  )
}

function errorType(replyCode: number | undefined, failureClass: string): string {
  return replyCode === undefined ? failureClass : String(replyCode)
}
