/**
 * Delivery-status events: the public facts about one message. CloudEvents 1.0, Kafka binary mode, JSON data.
 * No address, subject, body or code: what operators need and analysts must not see is the one JWE field `sealed`.
 */
import { createHash } from 'node:crypto'
import { CodedError } from '#libs/errors'
import { STATUS_SCHEMA_ID, type StatusData } from './contract/status-schema.ts'
import { asMessageId, type MessageId } from './ids.ts'
import { type EventState, MESSAGE_STATES, type MessageState } from './states.ts'

export type { StatusData }

/** What operators may see of an attempt and analysts must not. */
export interface SealedDetails {
  readonly subject?: string
  /** The peer's words, also those of an accepted mail. */
  readonly reply_text?: string
  /** Of a failed try: lines that begin with C: or S:, without login secrets and without the mail. */
  readonly conversation?: readonly string[]
  /** Who was asked, `address` and `tls` (its version) as far as the connection came. */
  readonly peer?: { readonly host: string; readonly port: number; readonly address?: string; readonly tls?: string }
  /** Whether the connection had been open before; beside `peer`. */
  readonly reused?: boolean
}

export interface StatusEvent {
  /** CloudEvents id, deterministic: a republished event is the same event. */
  readonly id: string
  readonly data: StatusData
  /** W3C context of the span that published the event (this hop). */
  readonly traceparent: string
  /** W3C context that the message started with. */
  readonly createdBy: string
}

export interface EncodedStatus {
  readonly key: string
  readonly value: string
  readonly headers: Record<string, string>
}

const SOURCE = '/postrider/courier'
const TYPE = /^dev\.postrider\.delivery\.([a-z]+)\.v1$/

/** UUIDv5 (RFC 9562) of message id, dispatch and state, within the message's own id as namespace. */
export function statusEventId(messageId: MessageId, dispatch: number, state: EventState): string {
  const hash = createHash('sha1')
    .update(Buffer.from(messageId.replaceAll('-', ''), 'hex'))
    .update(`${dispatch}.${state}`)
    .digest()
  hash[6] = (hash[6]! & 0x0f) | 0x50
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}

/** Record key, value and headers (CloudEvents Kafka binding 3.2, binary content mode). */
export function encodeStatus(event: StatusEvent): EncodedStatus {
  return { key: event.data.message_id, value: JSON.stringify(event.data), headers: statusHeaders(event) }
}

function statusHeaders({ id, data, traceparent, createdBy }: StatusEvent): Record<string, string> {
  return {
    ce_specversion: '1.0',
    ce_id: id,
    ce_source: SOURCE,
    ce_type: `dev.postrider.delivery.${data.status}.v1`,
    ce_subject: data.message_id,
    ce_time: data.occurred_at,
    ce_dataschema: STATUS_SCHEMA_ID,
    ce_traceparent: createdBy,
    'content-type': 'application/json',
    traceparent,
  }
}

type RawHeaders = Readonly<Record<string, Buffer | string | undefined>>

/** @throws STATUS_UNDECODABLE */
export function decodeStatus(value: Buffer | string | null, headers: RawHeaders): StatusEvent {
  const header = (name: string): string => headers[name]?.toString() ?? ''
  const state = TYPE.exec(header('ce_type'))?.[1]
  if (state === undefined || !MESSAGE_STATES.includes(state as MessageState))
    throw undecodable(`ce_type: found ${header('ce_type') || 'nothing'}`)
  let data: StatusData
  try {
    data = JSON.parse(value === null ? '' : value.toString()) as StatusData
    asMessageId(data.message_id)
  } catch (cause) {
    throw undecodable('data: expected a delivery status as JSON', cause)
  }
  if (!Number.isInteger(data.dispatch) || data.status !== state)
    throw undecodable('data: status or dispatch do not fit')
  return { id: header('ce_id'), data, traceparent: header('traceparent'), createdBy: header('ce_traceparent') }
}

function undecodable(why: string, cause?: unknown): CodedError {
  return new CodedError('STATUS_UNDECODABLE', why, { cause })
}
