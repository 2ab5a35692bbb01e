/**
 * Spans of a delivery, made from its timestamps when it is concluded, and only for messages whose trace is sampled.
 * `process` stays open until the status event is durable; claim, attempt, render and the dialogue are its finished children.
 */
import { type Attributes, type Span, type SpanContext, SpanKind, type Tracer } from '@opentelemetry/api'
import type { Decision } from '#libs/delivery'
import { type EventState, type MessageRecord, type StatusEvent, statusEventId } from '#libs/messages'
import { contextOf, isSampled, newTraceparent, parseTraceparent, recordSpan, traceparentOf } from '#libs/telemetry'
import { errorType, recordWire } from './attempt-tracing.ts'
import type { Delivery } from './delivery.ts'
import { recordOutcome } from './outcome-tracing.ts'
import { STATE_AFTER } from './status-of-try.ts'
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
  /** Tells of messages that wait in the ledger from now on. */
  readonly handedOver: (deliveries: readonly Delivery[]) => void
  /**
   * A span for an event that is published by another courier than the one that concluded it, or once more: the span that the event
   * names may have gone down with its courier. undefined when the message's trace is not sampled.
   */
  readonly republishing: (event: StatusEvent) => DeliverySpans | undefined
}

export interface TracingOptions {
  readonly tracer: Tracer
  readonly topicOf: (delivery: Delivery) => string
  readonly groupOf: (delivery: Delivery) => string
  readonly statusTopic: string
}

/** The record's own context; a new, unsampled one where it has none that can be read. */
export function traceparentOrNew(traceparent: string | undefined): string {
  return traceparent !== undefined && parseTraceparent(traceparent) !== undefined ? traceparent : newTraceparent()
}

export function openCourierTracing(options: TracingOptions): CourierTracing {
  const { tracer, statusTopic } = options
  return {
    spansOf: (delivery, result, decision) =>
      isSampled(delivery.traceparent) ? startSpans(delivery, result, decision, options) : undefined,
    handedOver: (deliveries) => {
      for (const delivery of deliveries) if (isSampled(delivery.traceparent)) recordHandOver(tracer, delivery)
    },
    republishing: (event) => (isSampled(event.createdBy) ? startRepublish(tracer, event, statusTopic) : undefined),
  }
}

function startSpans(delivery: Delivery, result: TryResult, decision: Decision, options: TracingOptions): DeliverySpans {
  const { tracer, statusTopic } = options
  const { record, dispatch } = delivery
  const outcome = STATE_AFTER[decision.kind]
  const creation = parseTraceparent(delivery.traceparent)
  const processing = tracer.startSpan(
    `process ${options.topicOf(delivery)}`,
    {
      kind: SpanKind.CONSUMER,
      startTime: delivery.receivedAtMs,
      attributes: processAttributes(delivery, outcome, options),
      links: creation === undefined ? [] : [{ context: creation }],
    },
    contextOf(delivery.traceparent, delivery.tracestate),
  )
  recordClaim(tracer, processing.spanContext(), delivery)
  if (isTried(result)) recordAttempt(tracer, processing.spanContext(), delivery, result, decision)
  recordOutcome(processing, delivery, decision, result)
  const sending = startSend(tracer, contextOf(traceparentOf(processing)), statusTopic, {
    ...messageAttributes(record),
    ...eventAttributes(statusEventId(record.id, dispatch, outcome), outcome),
  })
  return {
    traceparent: traceparentOf(sending),
    end: () => {
      sending.end()
      processing.end()
    },
  }
}

/** On every span, so that a trace that is not whole can still be put together. */
function messageAttributes({ id, project_id }: Pick<MessageRecord, 'id' | 'project_id'>): Attributes {
  return { 'courier.message.id': id, 'courier.project_id': project_id, 'messaging.message.id': id }
}

function eventAttributes(id: string, outcome: EventState): Attributes {
  return { 'cloudevents.event_id': id, 'cloudevents.event_type': `dev.postrider.delivery.${outcome}.v1` }
}

function processAttributes(
  delivery: Delivery,
  outcome: EventState,
  { topicOf, groupOf }: Pick<TracingOptions, 'topicOf' | 'groupOf'>,
): Attributes {
  const { record, origin, dispatch } = delivery
  return {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': topicOf(delivery),
    'messaging.consumer.group.name': groupOf(delivery),
    ...messageAttributes(record),
    // Of a message that the ledger owns nobody knows any more where it stood.
    ...(origin !== undefined && {
      'messaging.destination.partition.id': String(origin.partition),
      'messaging.kafka.offset': origin.offset,
    }),
    'courier.template_type': record.template_type,
    'courier.channel': record.channel,
    'courier.lane': record.lane,
    'courier.attempt': dispatch,
    'courier.outcome': outcome,
    'courier.age_ms': Math.max(0, Date.now() - Date.parse(record.created_at)),
  }
}

function recordClaim(tracer: Tracer, parent: SpanContext, delivery: Delivery): void {
  recordSpan(tracer, {
    name: 'claim',
    kind: SpanKind.INTERNAL,
    parent,
    startTime: Math.min(delivery.receivedAtMs, delivery.claimedAtMs),
    endTime: delivery.claimedAtMs,
    attributes: { 'courier.claim.result': delivery.reclaims > 0 ? 'reclaimed' : 'won' },
  })
}

/** Ends that nobody failed at. */
const NO_ERROR: ReadonlySet<string> = new Set(['expired', 'superseded', 'cancelled'])

/** Whether there was a try: what ended for its age, or is held since couriers stopped, had none. */
function isTried({ attempt, failure }: TryResult): boolean {
  return (
    attempt !== undefined || (failure !== undefined && !NO_ERROR.has(failure.class) && failure.class !== 'ambiguous')
  )
}

function recordAttempt(
  tracer: Tracer,
  parent: SpanContext,
  { record, dispatch, via }: Delivery,
  { attempt, failure, renderMs }: TryResult,
  decision: Decision,
): void {
  const endTime =
    attempt === undefined ? Date.now() : attempt.startedAt + (attempt.timings.connectMs ?? 0) + attempt.timings.sendMs
  const startTime = (attempt?.startedAt ?? endTime) - (renderMs ?? 0)
  const isError = failure !== undefined && !NO_ERROR.has(failure.class)
  const span = recordSpan(tracer, {
    name: 'attempt',
    kind: SpanKind.INTERNAL,
    parent,
    startTime,
    endTime,
    attributes: {
      'courier.message.id': record.id,
      'courier.attempt': dispatch,
      'courier.channel': record.channel,
      'courier.retry.decision': decision.kind,
      ...(via !== undefined && { 'courier.provider': via.provider }),
      ...(failure !== undefined && { 'courier.failure.class': failure.class }),
    },
    ...(isError && { error: errorType(failure.replyCode, failure.class) }),
  })
  if (renderMs !== undefined) {
    const name = `render ${record.template_type}`
    recordSpan(tracer, { name, kind: SpanKind.INTERNAL, parent: span, startTime, endTime: startTime + renderMs })
  }
  if (attempt !== undefined) recordWire({ tracer, parent: span, attempt, resends: dispatch - 1 })
}

function startSend(
  tracer: Tracer,
  parent: ReturnType<typeof contextOf>,
  topic: string,
  attributes: Attributes,
  links: readonly SpanContext[] = [],
): Span {
  return tracer.startSpan(
    `send ${topic}`,
    {
      kind: SpanKind.PRODUCER,
      attributes: {
        'messaging.system': 'kafka',
        'messaging.operation.name': 'send',
        'messaging.operation.type': 'send',
        'messaging.destination.name': topic,
        ...attributes,
      },
      links: links.map((context) => ({ context })),
    },
    parent,
  )
}

/** Child of the span that the message began with: that one does exist. */
function startRepublish(tracer: Tracer, event: StatusEvent, topic: string): DeliverySpans {
  const { id, data, traceparent, createdBy } = event
  const first = isSampled(traceparent) ? parseTraceparent(traceparent) : undefined
  const span = startSend(
    tracer,
    contextOf(createdBy),
    topic,
    {
      ...messageAttributes({ id: data.message_id, project_id: data.project_id }),
      ...eventAttributes(id, data.status),
      'courier.republished': true,
      'courier.outcome': data.status,
    },
    first === undefined ? [] : [first],
  )
  return { traceparent: traceparentOf(span), end: () => span.end() }
}

/** From the message's arrival here: a collector that looks for slow deliveries sees this one before it is concluded. */
function recordHandOver(tracer: Tracer, { record, traceparent, tracestate, receivedAtMs }: Delivery): void {
  recordSpan(tracer, {
    name: 'hand over',
    kind: SpanKind.INTERNAL,
    parent: contextOf(traceparent, tracestate),
    startTime: receivedAtMs,
    endTime: Date.now(),
    attributes: {
      'courier.message.id': record.id,
      'courier.project_id': record.project_id,
      'courier.outcome': 'waiting',
    },
  })
}
