/** The mail that carries a code: its template, data and outbox row, under the span whose context travels with it. */
import { randomUUID } from 'node:crypto'
import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { pgCode, type Tx } from '#libs/database'
import { isCoded } from '#libs/errors'
import { fromDatabaseTx, type NewMessage } from '#libs/outbox'
import { traceparentOf } from '#libs/telemetry'
import { type IdentityRow, identityJson } from './identity.ts'
import type { IdentityPorts } from './ports.ts'
import type { Traits } from './traits.ts'

export interface CodeMail {
  readonly to: string
  readonly code: string
  readonly expiresAt: Date
  /** Of the request that asked for it, as users reach it. */
  readonly requestUrl: string
  /** An identity logs in; traits alone are to be registered. */
  readonly about: { readonly identity: IdentityRow } | { readonly traits: Traits }
}

/** Writes the mail's outbox row: sent if and only if `tx` commits. */
export async function enqueueCode(tx: Tx, mail: CodeMail, ports: IdentityPorts): Promise<void> {
  const message = messageOf(mail, ports.settings)
  const create = startCreate(message.template_type, ports)
  const insert = startInsert(create, ports)
  const tracestate = create.spanContext().traceState?.serialize()
  try {
    const { ids } = await ports.outbox.enqueue(fromDatabaseTx(tx), [
      { ...message, traceparent: traceparentOf(create), ...(tracestate && { tracestate }) },
    ])
    create.setAttribute('messaging.message.id', ids[0]!)
  } catch (error) {
    fail(insert, error)
    fail(create, error)
    throw error
  } finally {
    insert.end()
    create.end()
  }
}

/** An owner for an address that has none: the same shape and size, so that the decoy's mail takes as long to write. */
export function standIn(address: string): IdentityRow {
  const at = new Date()
  return {
    id: randomUUID(),
    schema_id: 'default',
    state: 'active',
    traits: { email: address },
    created_at: at,
    updated_at: at,
    state_changed_at: at,
    address_id: randomUUID(),
    address,
    verified_at: at,
    address_created_at: at,
    address_updated_at: at,
  }
}

function messageOf(
  { to, code, expiresAt, requestUrl, about }: CodeMail,
  settings: IdentityPorts['settings'],
): NewMessage {
  const common = {
    to,
    request_url: requestUrl,
    transient_payload: {},
    expires_in_minutes: Math.max(1, Math.floor(settings.codeLifespanMs / 60_000)),
  }
  if ('traits' in about) {
    return {
      recipient: to,
      template_type: 'registration_code_valid',
      template_data: { ...common, traits: about.traits, registration_code: code },
      expires_at: expiresAt,
    }
  }
  return {
    recipient: to,
    template_type: 'login_code_valid',
    template_data: { ...common, identity: identityJson(about.identity, settings.publicUrl), login_code: code },
    identity_id: about.identity.id,
    expires_at: expiresAt,
  }
}

function startCreate(templateType: string, { tracer, settings }: IdentityPorts): Span {
  return tracer.startSpan(`create ${settings.messagesTopic}`, {
    kind: SpanKind.PRODUCER,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'create',
      'messaging.operation.type': 'create',
      'messaging.destination.name': settings.messagesTopic,
      'courier.template_type': templateType,
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
