/** The Kafka record of a row of Kratos: sealed here, the same as one from an outbox. */
import type { OutRecord } from '#libs/bus'
import {
  CHANNELS,
  type ChannelId,
  encodeMessage,
  isUuid,
  type Lane,
  laneOf,
  MAX_RECORD_BYTES,
  type MessageRecord,
  type SealedContent,
  type Sealer,
} from '#libs/messages'
import { recipientProblem } from '../recipient-problem.ts'
import type { QueuedRow, Reservation } from './reservation.ts'
import { dataOf, headersOf, isRenderable } from './template-data.ts'

export type KratosRecord =
  | { readonly kind: 'record'; readonly lane: Lane; readonly record: OutRecord }
  /** Nobody could take it; the reason is free of addresses and data. */
  | { readonly kind: 'problem'; readonly reason: string }

const SMS = 2

export function recordOfRow(row: QueuedRow, reservation: Reservation, sealer: Sealer): KratosRecord {
  const channel = channelOf(row)
  if (!isChannel(channel)) return { kind: 'problem', reason: `channel: expected ${CHANNELS.join(' or ')}` }
  const reason = recipientProblem(channel, row.recipient)
  if (reason !== undefined) return { kind: 'problem', reason }
  const value = encodeMessage(messageOfRow(row, reservation, channel, sealer))
  if (Buffer.byteLength(value) > MAX_RECORD_BYTES)
    return { kind: 'problem', reason: `record: larger than ${MAX_RECORD_BYTES} bytes` }
  const key = sealer.hmac(row.nid, row.recipient)
  return { kind: 'record', lane: laneOf(row.template_type), record: { key, value, headers: headers(reservation) } }
}

/** Rows of old versions name no channel. */
export function channelOf({ channel, type }: QueuedRow): string {
  return channel || (type === SMS ? 'sms' : 'email')
}

function isChannel(channel: string): channel is ChannelId {
  return CHANNELS.some((known) => known === channel)
}

function messageOfRow(
  row: QueuedRow,
  { messageId, expiresAt }: Reservation,
  channel: ChannelId,
  sealer: Sealer,
): MessageRecord {
  const content = contentOf(row, channel)
  const identityId = identityIn(content.template_data)
  return {
    id: messageId,
    project_id: row.nid,
    channel,
    template_type: row.template_type,
    ...(identityId !== undefined && { identity_id: identityId }),
    lane: laneOf(row.template_type),
    created_at: row.created_at.toISOString(),
    expires_at: expiresAt.toISOString(),
    source_id: row.id,
    sealed: sealer.seal(row.nid, messageId, content),
  }
}

function contentOf(row: QueuedRow, channel: ChannelId): SealedContent {
  const { recipient, template_type, subject, body } = row
  const data = dataOf(row.template_data)
  const requestHeaders = headersOf(row.request_headers)
  return {
    recipient,
    template_data: data ?? {},
    ...(requestHeaders !== undefined && { request_headers: requestHeaders }),
    ...(!isRenderable(template_type, data, channel) && { rendered: { subject, text: body } }),
  }
}

function identityIn({ identity }: SealedContent['template_data']): string | undefined {
  const id = typeof identity === 'object' && identity !== null && 'id' in identity ? identity.id : undefined
  return typeof id === 'string' && isUuid(id) ? id : undefined
}

function headers({ messageId, traceparent }: Reservation): Record<string, string> {
  return {
    traceparent,
    ce_traceparent: traceparent,
    ce_id: messageId,
    ce_type: 'dev.postrider.message.v1',
    'content-type': 'application/json',
  }
}
