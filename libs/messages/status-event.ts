/**
 * Delivery-status events: the public facts about one message. CloudEvents 1.0, Kafka binary mode, JSON data.
 * No address, subject, body or code: what operators need and analysts must not see is the one JWE field `sealed`.
 */
import { createHash } from 'node:crypto'
import { CodedError } from '#libs/errors'
import { asMessageId, type MessageId } from './ids.ts'

export const MESSAGE_STATES = [
  'queued',
  'deferred',
  'held',
  'sent',
  'delivered',
  'bounced',
  'complained',
  'abandoned',
  'expired',
  'suppressed',
  'superseded',
  'cancelled',
] as const
export type MessageState = (typeof MESSAGE_STATES)[number]
/** States that an event announces; `queued` is inferred from the message itself. */
export type EventState = Exclude<MessageState, 'queued'>
export type OryStatus = 'queued' | 'processing' | 'sent' | 'abandoned'

const ORY_STATUS: Record<MessageState, OryStatus> = {
  queued: 'queued',
  deferred: 'queued',
  held: 'processing',
  sent: 'sent',
  delivered: 'sent',
  bounced: 'sent',
  complained: 'sent',
  abandoned: 'abandoned',
  expired: 'abandoned',
  suppressed: 'abandoned',
  superseded: 'abandoned',
  cancelled: 'abandoned',
}

/** The status that Ory's admin API shows for a state. */
export function oryStatus(state: MessageState): OryStatus {
  return ORY_STATUS[state]
}

/** Nothing is sent any more after a terminal state; `delivered`, `bounced` and `complained` refine `sent`. */
export function isTerminal(state: MessageState): boolean {
  return state !== 'queued' && state !== 'deferred' && state !== 'held'
}

/** Data of an event. Instants are RFC 3339 UTC, durations ms. Consumers ignore fields they do not know. */
export interface StatusData {
  readonly message_id: MessageId
  readonly project_id: string
  readonly template_type: string
  readonly channel: string
  readonly status: EventState
  readonly severity: 'none' | 'temporary' | 'permanent'
  readonly terminal: boolean
  /** Every try, also uncharged ones: the order of the projection. 0 where nothing was tried. */
  readonly dispatch: number
  /** Tries that count against the retry budget. */
  readonly attempt: number
  readonly max_attempts: number
  readonly occurred_at: string
  readonly queued_at: string
  readonly expires_at: string
  readonly next_attempt_at?: string
  /** Why a terminal failure state was reached, or what made the attempt fail. */
  readonly reason?: string
  readonly failure_class?: string
  readonly decision?: string
  /** Whether this very dispatch reached out (false: expired or set aside before any try). */
  readonly attempted: boolean
  /** An attempt ended without an answer after the final dot, so a copy may have arrived. */
  readonly possibly_delivered: boolean
  readonly durations_ms: {
    readonly queue?: number
    readonly connect?: number
    readonly send?: number
    readonly total: number
  }
  readonly reply?: { readonly code: number; readonly enhanced?: string; readonly command: string }
  /** Human words for the failure, free of addresses and codes. */
  readonly error?: string
  readonly provider?: string
  readonly provider_message_id?: string
  readonly recipient_domain?: string
  readonly recipient_hash?: string
  readonly identity_id?: string
  readonly locale?: string
  readonly lane: string
  readonly trace_id: string
  readonly worker: string
  /** JWE over SealedDetails, for the page and the API. */
  readonly sealed?: string
}

/** What operators may see of an attempt and analysts must not. */
export interface SealedDetails {
  readonly subject?: string
  readonly reply_text?: string
  readonly conversation?: readonly string[]
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
const SCHEMA = 'https://postrider.dev/schemas/delivery-status.v1.json'
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
    ce_dataschema: SCHEMA,
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
