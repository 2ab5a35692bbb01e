/** Accepts messages over the API: outbox rows and accepted rows in one transaction, so that what was answered 202 is found at once. */
import { type Context, type Link, type Span, SpanKind } from '@opentelemetry/api'
import type { Database, Tx } from '#libs/database'
import { CodedError } from '#libs/errors'
import { DEFAULT_PROJECT_ID, type MessageId, type Sealer, topics } from '#libs/messages'
import { fromDatabaseTx, type NewMessage, type Outbox } from '#libs/outbox'
import { type Telemetry, traceIdOf, traceparentOf } from '#libs/telemetry'
import type { Principal } from './access.ts'
import { type AcceptedRow, findProjectIds, insertAccepted } from './message-repository.ts'
import type { RequestedMessage } from './read-new-messages.ts'

export interface AcceptPorts {
  readonly database: Database
  readonly outbox: Outbox
  readonly sealer: Sealer
  readonly tracer: Telemetry['tracer']
  readonly topicPrefix: string
  /** How long a message lives whose caller does not say. */
  readonly lifetimeMs: (message: RequestedMessage) => number
}

export interface Idempotency {
  readonly key: string
  /** The body as it came: the same key with another body is refused. */
  readonly request: unknown
}

const ROUTE = 'console POST /admin/courier/messages'

/**
 * @param principal whose Idempotency-Keys are its own, and whose project is the only one where it is bound to one
 * @returns ids in the order of `requested`
 * @throws REQUEST_INVALID (project), IDEMPOTENCY_MISMATCH, MESSAGE_TOO_LARGE, RECIPIENT_INVALID
 */
export async function acceptMessages(
  requested: readonly RequestedMessage[],
  idempotency: Idempotency | undefined,
  ports: AcceptPorts,
  principal?: Principal,
): Promise<MessageId[]> {
  const projects = await resolveProjects(requested, ports.database, principal?.project?.id)
  const spans = requested.map((message) => startCreate(message, ports))
  const messages = requested.map((message, i) => newMessage(message, projects[i]!, spans[i]!, ports))
  try {
    return await ports.database.transaction(async (tx) => {
      const { ids, replayed } = await ports.outbox.enqueue(
        fromDatabaseTx(tx),
        messages,
        idempotency && { scope: scopeOf(principal), ...idempotency },
      )
      if (!replayed) await remember(tx, ids, messages, ports.sealer)
      for (const [i, id] of ids.entries())
        spans[i]?.setAttributes({ 'courier.message.id': id, 'messaging.message.id': id })
      return ids
    })
  } finally {
    for (const span of spans) span.end()
  }
}

/** One key learns nothing of what another one sent under the same Idempotency-Key. */
function scopeOf(principal: Principal | undefined): string {
  return principal === undefined ? ROUTE : `${ROUTE} ${principal.keyId}`
}

/** @param only the project that may be written to; undefined for all */
async function resolveProjects(
  requested: readonly RequestedMessage[],
  database: Database,
  only: string | undefined,
): Promise<string[]> {
  const known = new Map<string | undefined, string>([[undefined, only ?? DEFAULT_PROJECT_ID]])
  const ids: string[] = []
  for (const { project, at } of requested) {
    let id = known.get(project)
    if (id === undefined) {
      id = (await findProjectIds(database, project ?? ''))[0]
      const field = `${at}project`
      if (id === undefined || (only !== undefined && id !== only))
        throw new CodedError('REQUEST_INVALID', `${field}: no such project`, { details: { field } })
      known.set(project, id)
    }
    ids.push(id)
  }
  return ids
}

export type WholeMessage = NewMessage &
  Required<Pick<NewMessage, 'expires_at' | 'project_id' | 'lane' | 'channel' | 'traceparent'>>

function newMessage(requested: RequestedMessage, projectId: string, span: Span, ports: AcceptPorts): WholeMessage {
  const { identity_id, locale } = requested
  const tracestate = span.spanContext().traceState?.serialize()
  return {
    recipient: requested.recipient,
    template_type: requested.template_type,
    template_data: requested.template_data,
    project_id: projectId,
    channel: requested.channel,
    lane: requested.lane,
    expires_at: requested.expires_at ?? new Date(Date.now() + ports.lifetimeMs(requested)),
    traceparent: traceparentOf(span),
    ...(tracestate !== undefined && { tracestate }),
    ...(identity_id !== undefined && { identity_id }),
    ...(locale !== undefined && { locale }),
  }
}

/** Shows the messages at once, before any projector has seen them. Of the transaction that enqueues them. */
export async function remember(
  tx: Tx,
  ids: readonly MessageId[],
  messages: readonly WholeMessage[],
  sealer: Sealer,
): Promise<void> {
  const rows = messages.map((message, i): AcceptedRow => {
    const { recipient, template_data, project_id } = message
    const id = ids[i]!
    return {
      id,
      project_id,
      channel: message.channel,
      template_type: message.template_type,
      lane: message.lane,
      identity_id: message.identity_id ?? null,
      locale: message.locale ?? null,
      sealed: sealer.seal(project_id, id, { recipient, template_data }),
      recipient_hash: sealer.hmac(project_id, recipient),
      trace_id: traceIdOf(message.traceparent),
      expires_at: message.expires_at.toISOString(),
    }
  })
  await insertAccepted(tx, rows)
}

/** Child of the request's span, or of `parent`; its context travels with the message to the last status. */
export function startCreate(
  { template_type, channel, lane }: Pick<RequestedMessage, 'template_type' | 'channel' | 'lane'>,
  { tracer, topicPrefix }: Pick<AcceptPorts, 'tracer' | 'topicPrefix'>,
  parent?: { readonly context: Context; readonly links: Link[] },
): Span {
  const { messages, notices } = topics(topicPrefix)
  const topic = lane === 'urgent' ? messages : notices
  const options = {
    kind: SpanKind.PRODUCER,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'create',
      'messaging.operation.type': 'create',
      'messaging.destination.name': topic,
      'courier.template_type': template_type,
      'courier.channel': channel,
    },
    ...(parent !== undefined && { links: parent.links }),
  }
  return tracer.startSpan(`create ${topic}`, options, parent?.context)
}
