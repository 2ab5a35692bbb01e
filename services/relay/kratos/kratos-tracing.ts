/** Kratos keeps no trace context: the trace of a mail begins here, and its root shows how long the row waited. */
import { type SpanContext, SpanKind, type Tracer } from '@opentelemetry/api'
import { contextOf, isSampled, parseTraceparent, recordSpan, traceparentOf } from '#libs/telemetry'
import type { ReservedRow } from './publish-rows.ts'
import type { QueuedRow, Reservation } from './reservation.ts'

export interface RootSpan {
  /** What the message travels with. */
  readonly traceparent: string
  readonly end: (reservation: Reservation) => void
}

export interface KratosTracing {
  /** Begins the trace of a row that was not taken before; one that is never ended leaves nothing. */
  readonly start: (row: QueuedRow) => RootSpan
  /** A send in a trace of its own, linked to the messages that it carried; times in epoch ms. */
  readonly sent: (topic: string, partition: number, rows: readonly ReservedRow[], startedMs: number) => void
  /** A row that nobody could take. */
  readonly setAside: (row: ReservedRow) => void
}

/** The most that a span carries by default. */
const MAX_LINKS = 128

export function openKratosTracing(tracer: Tracer, isTracing: boolean): KratosTracing {
  return {
    start: ({ created_at, id, template_type, nid }) => {
      const span = tracer.startSpan('relay kratos', {
        root: true,
        kind: SpanKind.PRODUCER,
        startTime: created_at,
        attributes: { 'courier.source_id': id, 'courier.template_type': template_type, 'courier.project_id': nid },
      })
      return {
        traceparent: traceparentOf(span),
        end: ({ messageId, generation, reservedAt }) => {
          const ids = { 'courier.message.id': messageId, 'messaging.message.id': messageId }
          span.setAttributes({ ...ids, 'courier.generation': generation })
          // Clocks of two machines may differ by a little.
          span.end(Math.max(created_at.getTime(), reservedAt.getTime()))
        },
      }
    },
    sent: (topic, partition, rows, startedMs) => {
      if (isTracing) recordSend(tracer, topic, partition, rows, startedMs)
    },
    setAside: ({ row, reservation }) => {
      if (isSampled(reservation.traceparent)) recordSetAside(tracer, row, reservation)
    },
  }
}

function recordSetAside(tracer: Tracer, { now }: QueuedRow, { messageId, traceparent }: Reservation): void {
  recordSpan(tracer, {
    name: 'set aside kratos',
    kind: SpanKind.INTERNAL,
    parent: contextOf(traceparent),
    startTime: now.getTime(),
    endTime: Date.now(),
    attributes: { 'courier.message.id': messageId, 'courier.outcome': 'abandoned' },
    events: [{ name: 'courier.abandoned', attributes: { reason: 'undecodable' } }],
    error: 'undecodable',
  })
}

function recordSend(
  tracer: Tracer,
  topic: string,
  partition: number,
  rows: readonly ReservedRow[],
  startTime: number,
): void {
  const sampled = rows.map(({ reservation }) => reservation.traceparent).filter(isSampled)
  const links: SpanContext[] = sampled.slice(0, MAX_LINKS).flatMap((traceparent) => parseTraceparent(traceparent) ?? [])
  recordSpan(tracer, {
    name: `send ${topic}`,
    kind: SpanKind.CLIENT,
    startTime,
    endTime: Date.now(),
    links,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
      'messaging.batch.message_count': rows.length,
    },
  })
}
