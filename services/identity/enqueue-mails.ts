/** Mails into the outbox, each under the span whose context travels with it. */
import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { pgCode, type Tx } from '#libs/database'
import { isCoded } from '#libs/errors'
import { laneOf } from '#libs/messages'
import { fromDatabaseTx, type NewMessage } from '#libs/outbox'
import { traceparentOf } from '#libs/telemetry'
import type { IdentityPorts } from './ports.ts'

/** Writes the mails' outbox rows: sent if and only if `tx` commits. To be called last, and with one mail or more. */
export async function enqueueMails(tx: Tx, messages: readonly NewMessage[], ports: IdentityPorts): Promise<void> {
  const creates = messages.map((message) => startCreate(message, ports))
  const insert = startInsert(creates[0]!, ports)
  try {
    const { ids } = await ports.outbox.enqueue(
      fromDatabaseTx(tx),
      messages.map((message, i) => traced(message, creates[i]!)),
    )
    for (const [i, create] of creates.entries())
      create.setAttributes({ 'courier.message.id': ids[i]!, 'messaging.message.id': ids[i]! })
  } catch (error) {
    for (const span of [insert, ...creates]) fail(span, error)
    throw error
  } finally {
    for (const span of [insert, ...creates]) span.end()
  }
}

function traced(message: NewMessage, create: Span): NewMessage {
  const tracestate = create.spanContext().traceState?.serialize()
  return { ...message, traceparent: traceparentOf(create), ...(tracestate && { tracestate }) }
}

function startCreate({ template_type, channel = 'email' }: NewMessage, { tracer, settings }: IdentityPorts): Span {
  const topic = laneOf(template_type) === 'urgent' ? settings.topics.messages : settings.topics.notices
  return tracer.startSpan(`create ${topic}`, {
    kind: SpanKind.PRODUCER,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'create',
      'messaging.operation.type': 'create',
      'messaging.destination.name': topic,
      'courier.template_type': template_type,
      'courier.channel': channel,
    },
  })
}

function startInsert(create: Span, { tracer }: IdentityPorts): Span {
  return tracer.startSpan(
    'INSERT outbox.message',
    {
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': 'postgresql',
        'db.operation.name': 'INSERT',
        'db.collection.name': 'outbox.message',
      },
    },
    trace.setSpan(context.active(), create),
  )
}

/** The error's code only: messages of the database may quote values. */
function fail(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR })
  span.setAttribute('error.type', isCoded(error) ? error.code : (pgCode(error) ?? '_OTHER'))
}
