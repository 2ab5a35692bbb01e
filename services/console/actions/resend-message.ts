/** Resend: a new message with the content of one that has come to its end, in the trace of whoever asked, linked to the former one. */
import { context, type Link, type Span } from '@opentelemetry/api'
import type { Tx } from '#libs/database'
import { CodedError, isCoded } from '#libs/errors'
import { type ChannelId, isTerminal, type Lane, type MessageId, type SealedContent, type Sealer } from '#libs/messages'
import { fromDatabaseTx } from '#libs/outbox'
import { newTraceparent, parseTraceparent, traceparentOf } from '#libs/telemetry'
import { type AcceptPorts, type Idempotency, remember, startCreate, type WholeMessage } from '../accept-messages.ts'
import { findMessage, type MessageRow } from '../message-repository.ts'
import { checkId, notFound } from '../show-message.ts'
import { findNewer, findTarget, insertResend, type Target } from './action-repository.ts'
import { writeAudit } from './audit.ts'

export interface ResendPorts extends Omit<AcceptPorts, 'lifetimeMs'> {
  readonly lifetimeMs: (message: { template_type: string; template_data: Readonly<Record<string, unknown>> }) => number
}

export interface ResendRequest {
  readonly id: string
  readonly actor: string
  readonly idempotency: Idempotency | undefined
  /** Whose Idempotency-Keys are its own. */
  readonly keyId: string
}

const ROUTE = 'console POST /admin/courier/messages/{id}/resend'
const NEWER = 'A newer message of this kind went to the same recipient and made it useless: resend that one.'

/**
 * A code or link lives as long as it was told to: it is sent again within that time only, and never past a newer one of its kind.
 * Everything else gets a fresh lifetime.
 * @throws REQUEST_INVALID, NOT_FOUND, STATE_CONFLICT with `details.state`, IDEMPOTENCY_MISMATCH
 */
export async function resendMessage(request: ResendRequest, ports: ResendPorts): Promise<{ id: MessageId }> {
  checkId(request.id)
  const id = request.id.toLowerCase()
  const [row, target] = [await findMessage(ports.database, id), await findTarget(ports.database, id)]
  if (row === undefined || target === undefined) throw notFound()
  const content = contentOf(row, target, ports)
  const span = startResend(target, ports)
  try {
    const message = newMessage(target, content, span, ports)
    return await ports.database.transaction(async (tx) => {
      const { idempotency, keyId } = request
      const scoped = idempotency && { scope: `${ROUTE} ${keyId}`, key: idempotency.key, request: { id } }
      const { ids, replayed } = await ports.outbox.enqueue(fromDatabaseTx(tx), [message], scoped)
      const newId = ids[0]!
      span.setAttributes({ 'courier.message.id': newId, 'messaging.message.id': newId })
      if (!replayed) await record(tx, { newId, message, target, actor: request.actor }, ports)
      return { id: newId }
    })
  } finally {
    span.end()
  }
}

interface Resent {
  readonly newId: MessageId
  readonly message: WholeMessage
  readonly target: Target
  readonly actor: string
}

async function record(tx: Tx, { newId, message, target, actor }: Resent, { sealer }: ResendPorts): Promise<void> {
  if (isOfOneUse(target)) {
    const newer = await findNewer(tx, target, sealer.hmacs(target.project_id, message.recipient), newId)
    if (newer !== undefined) throw conflict(target, NEWER, { newer_id: newer })
  }
  await remember(tx, [newId], [message], sealer)
  await insertResend(tx, newId, target.id)
  await writeAudit(tx, {
    actor,
    action: 'message.resend',
    messageId: target.id,
    projectId: target.project_id,
    details: { state: target.state, new_id: newId },
  })
}

/** @throws STATE_CONFLICT where there is nothing that could be sent again */
function contentOf(row: MessageRow, target: Target, { sealer }: ResendPorts): SealedContent {
  if (!isTerminal(target.state)) throw conflict(target, `The message is ${target.state}: retry sends it sooner.`)
  if (isOfOneUse(target) && target.expires_at.getTime() <= Date.now())
    throw conflict(target, 'The code has expired: ask for a new one.', {
      reason: 'the code has expired; ask for a new one',
    })
  if (target.state === 'superseded') throw conflict(target, NEWER)
  if (row.sealed === null) throw conflict(target, 'The content of the message is not here: only its status has come.')
  const content = openSealed(row.project_id, row.sealed, sealer)
  if (content === undefined)
    throw conflict(target, 'The message is sealed with a secret that this console lacks: add it to secrets.cipher.')
  if (content.rendered !== undefined)
    throw conflict(target, 'The message was rendered by the system that it came from: send it anew from there.')
  return content
}

function openSealed(projectId: string, sealed: string, sealer: Sealer): SealedContent | undefined {
  try {
    return sealer.open(projectId, sealed) as SealedContent
  } catch (error) {
    if (isCoded(error, 'SEAL_UNKNOWN_KEY')) return undefined
    throw error
  }
}

function newMessage(target: Target, content: SealedContent, span: Span, ports: ResendPorts): WholeMessage {
  const { recipient, template_data, request_headers } = content
  const { template_type } = target
  const fresh = () => new Date(Date.now() + ports.lifetimeMs({ template_type, template_data }))
  return {
    recipient,
    template_type,
    template_data,
    project_id: target.project_id,
    channel: target.channel as ChannelId,
    lane: target.lane as Lane,
    expires_at: isOfOneUse(target) ? target.expires_at : fresh(),
    traceparent: traceparentOf(span),
    ...(request_headers !== undefined && { request_headers }),
    ...(target.identity_id !== null && { identity_id: target.identity_id }),
    ...(target.locale !== null && { locale: target.locale }),
  }
}

/** Codes and links: they end, and a newer one takes their place. */
function isOfOneUse({ template_type }: Pick<Target, 'template_type'>): boolean {
  return template_type.endsWith('_valid')
}

/** Below the request that asked for it, linked to the trace of the message that is sent again. */
function startResend(target: Target, ports: ResendPorts): Span {
  const message = {
    template_type: target.template_type,
    channel: target.channel as ChannelId,
    lane: target.lane as Lane,
  }
  const span = startCreate(message, ports, { context: context.active(), links: linksTo(target) })
  return span.setAttribute('courier.resent_from', target.id)
}

/** Of the former trace only its id is kept: backends find it by that, whatever the span. */
function linksTo({ trace_id }: Target): Link[] {
  const former = trace_id === null ? undefined : parseTraceparent(`00-${trace_id}${newTraceparent().slice(35)}`)
  return former === undefined ? [] : [{ context: former }]
}

function conflict({ state }: Target, message: string, details: Record<string, unknown> = {}): CodedError {
  return new CodedError('STATE_CONFLICT', message, { details: { state, ...details } })
}
