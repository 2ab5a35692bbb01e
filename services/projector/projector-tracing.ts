/** Spans of applied status records, made from the batch's times, and only for messages whose trace is sampled. */
import { SpanKind, type Tracer } from '@opentelemetry/api'
import { contextOf, isSampled, parseTraceparent, recordSpan } from '#libs/telemetry'
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
    if (entry.event?.kind === 'status' && isSampled(entry.event.event.traceparent)) {
      recordStatus(entry, entry.event.event.traceparent, startedAtMs, endedAtMs, options)
    }
  }
}

function recordStatus(
  { event, queue, record, receivedAtMs }: Entry,
  traceparent: string,
  startedAtMs: number,
  endedAtMs: number,
  { tracer, group }: TracingOptions,
): void {
  const publishing = parseTraceparent(traceparent)
  if (publishing === undefined || event?.kind !== 'status') return
  const processing = recordSpan(tracer, {
    name: `process ${queue.topic}`,
    kind: SpanKind.CONSUMER,
    parent: contextOf(traceparent),
    startTime: receivedAtMs,
    endTime: endedAtMs,
    links: [publishing],
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': queue.topic,
      'messaging.destination.partition.id': String(queue.partition),
      'messaging.kafka.offset': record.offset,
      'messaging.consumer.group.name': group,
      'messaging.message.id': event.id,
      'cloudevents.event_id': event.event.id,
      'courier.status': event.event.data.status,
    },
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
