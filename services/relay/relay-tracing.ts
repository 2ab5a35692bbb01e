/** Spans of a send, made from its times: one for the batch in a trace of its own, one for each row whose trace is sampled. */
import { type Attributes, SpanKind, type Tracer } from '@opentelemetry/api'
import { contextOf, isSampled, parseTraceparent, recordSpan } from '#libs/telemetry'
import type { Flight } from './flight.ts'

/** The most that a span carries by default. */
const MAX_LINKS = 128

/** @param startedMs @param endedMs of the send, epoch ms */
export function recordSent(
  tracer: Tracer,
  topic: string,
  partition: number,
  flights: readonly Flight[],
  startedMs: number,
  endedMs: number,
): void {
  const sampled = flights.filter(({ traceparent }) => isSampled(traceparent))
  const links = sampled.slice(0, MAX_LINKS).flatMap(({ traceparent }) => parseTraceparent(traceparent) ?? [])
  const batch = recordSpan(tracer, {
    name: `send ${topic}`,
    kind: SpanKind.CLIENT,
    startTime: startedMs,
    endTime: endedMs,
    links,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.batch.message_count': flights.length,
    },
  })
  for (const flight of sampled) {
    recordSpan(tracer, {
      ...rowSpan(flight, endedMs),
      links: [batch],
      attributes: {
        ...rowAttributes(flight, endedMs),
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': String(partition),
        'messaging.kafka.message.key': flight.record.key,
      },
    })
  }
}

/** A row that nobody could take: its message ends here, so its trace does. */
export function recordSetAside(tracer: Tracer, flight: Flight, endedMs: number): void {
  if (!isSampled(flight.traceparent)) return
  recordSpan(tracer, {
    ...rowSpan(flight, endedMs),
    attributes: { ...rowAttributes(flight, endedMs), 'courier.outcome': 'abandoned' },
    events: [{ name: 'courier.abandoned', attributes: { reason: 'undecodable' } }],
    error: 'undecodable',
  })
}

function rowSpan({ createdMs, traceparent, tracestate }: Flight, endTime: number) {
  return {
    name: 'relay outbox.message',
    kind: SpanKind.INTERNAL,
    parent: contextOf(traceparent, tracestate ?? undefined),
    startTime: createdMs,
    endTime,
  }
}

function rowAttributes({ id, createdMs }: Flight, endedMs: number): Attributes {
  return {
    'courier.message.id': id,
    'messaging.message.id': id,
    'courier.outbox.wait_ms': Math.max(0, Math.round(endedMs - createdMs)),
  }
}
