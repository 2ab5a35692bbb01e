/** Spans of applied status records, made from the batch's times, and only for messages whose trace is sampled. */
import { type Attributes, type SpanContext, SpanKind, type Tracer } from '@opentelemetry/api'
import type { StatusEvent } from '#libs/messages'
import { parseTraceparent, recordSpan } from '#libs/telemetry'
import type { Entry } from './partition-queues.ts'

export interface TracingOptions {
  readonly tracer: Tracer
  readonly group: string
}

export function recordApplied(
  entries: readonly Entry[],
  startedAtMs: number,
  endedAtMs: number,
  options: TracingOptions,
): void {
  for (const entry of entries) {
    if (entry.event?.kind === 'status') recordStatus(entry, entry.event.event, startedAtMs, endedAtMs, options)
  }
}

function recordStatus(
  entry: Entry,
  event: StatusEvent,
  startedAtMs: number,
  endedAtMs: number,
  { tracer, group }: TracingOptions,
): void {
  const { parent, links } = placeOf(event)
  if (parent === undefined) return
  const processing = recordSpan(tracer, {
    name: `process ${entry.queue.topic}`,
    kind: SpanKind.CONSUMER,
    parent,
    startTime: entry.receivedAtMs,
    endTime: endedAtMs,
    links,
    attributes: statusAttributes(entry, event, group),
  })
  recordSpan(tracer, {
    name: 'INSERT console.message',
    kind: SpanKind.CLIENT,
    parent: processing,
    startTime: startedAtMs,
    endTime: endedAtMs,
    attributes: {
      'db.system.name': 'postgresql',
      'db.operation.name': 'INSERT',
      'db.collection.name': 'console.message',
    },
  })
}

/**
 * Below the span that published the event, where that one is of the message's own trace. What came in a trace of its own, as feedback
 * does long after the mail, goes on with the message's trace and links to where it came from.
 */
function placeOf({ traceparent, createdBy }: StatusEvent): {
  readonly parent: SpanContext | undefined
  readonly links: SpanContext[]
} {
  const publishing = parseTraceparent(traceparent)
  const creation = parseTraceparent(createdBy)
  const isOfMessage = creation === undefined || publishing?.traceId === creation.traceId
  const parent = isOfMessage ? publishing : creation
  const links = [publishing, creation].filter((context) => context !== undefined)
  const isSame = publishing?.spanId === creation?.spanId
  return {
    parent: parent !== undefined && (parent.traceFlags & 1) === 1 ? parent : undefined,
    links: isSame ? links.slice(0, 1) : links,
  }
}

function statusAttributes({ queue, record }: Entry, { id, data }: StatusEvent, group: string): Attributes {
  return {
    'messaging.system': 'kafka',
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.destination.name': queue.topic,
    'messaging.destination.partition.id': String(queue.partition),
    'messaging.kafka.offset': record.offset,
    'messaging.kafka.message.key': data.message_id,
    'messaging.consumer.group.name': group,
    'messaging.message.id': data.message_id,
    'cloudevents.event_id': id,
    'cloudevents.event_type': `dev.postrider.delivery.${data.status}.v1`,
    'courier.message.id': data.message_id,
    'courier.project_id': data.project_id,
    'courier.outcome': data.status,
  }
}
