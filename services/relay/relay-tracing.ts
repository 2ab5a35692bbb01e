/** Spans of a send, made from its times: one for the batch in a trace of its own, one for each row whose trace is sampled. */
import { SpanKind, type Tracer } from '@opentelemetry/api'
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
  for (const { createdMs, id, traceparent, tracestate } of sampled) {
    recordSpan(tracer, {
      name: 'relay outbox.message',
      kind: SpanKind.INTERNAL,
      parent: contextOf(traceparent, tracestate ?? undefined),
      startTime: createdMs,
      endTime: endedMs,
      links: [batch],
      attributes: {
        'messaging.message.id': id,
        'courier.outbox.wait_ms': Math.max(0, Math.round(endedMs - createdMs)),
      },
    })
  }
}
