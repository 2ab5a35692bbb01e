/** The record on the message topics: routing facts in clear, everything personal inside `sealed`. */
import { CodedError } from '#libs/errors'
import { asMessageId, isUuid, type MessageId } from './ids.ts'

/** Ory's template types; `stub` carries its own subject and bodies. */
export const TEMPLATE_TYPES = [
  'recovery_invalid',
  'recovery_valid',
  'recovery_code_invalid',
  'recovery_code_valid',
  'verification_invalid',
  'verification_valid',
  'verification_code_invalid',
  'verification_code_valid',
  'login_code_valid',
  'registration_code_valid',
  'verifiable_address_changed',
  'authenticator_key_added',
  'stub',
] as const
export type TemplateType = (typeof TEMPLATE_TYPES)[number]

export const CHANNELS = ['email', 'sms'] as const
export type ChannelId = (typeof CHANNELS)[number]

/** Two topics: what a user waits for overtakes what a user is told. */
export type Lane = 'urgent' | 'notice'

/** Urgent: codes and links someone waits for (`*_valid`), whatever the caller does not say otherwise. */
export function laneOf(templateType: string): Lane {
  return templateType.endsWith('_valid') ? 'urgent' : 'notice'
}

/** Longest lifetime that a message may be given, and the one it gets where nothing is said. */
export const MAX_LIFETIME_MS = 5 * 24 * 3_600_000
export const DEFAULT_LIFETIME_MS = 24 * 3_600_000

/** Largest record value in bytes, checked before commit; the brokers' limit is 1 MiB with headers. */
export const MAX_RECORD_BYTES = 900 * 1024

export interface MessageRecord {
  readonly id: MessageId
  readonly project_id: string
  readonly channel: ChannelId
  readonly template_type: string
  readonly identity_id?: string
  readonly locale?: string
  readonly lane: Lane
  /** RFC 3339, UTC. */
  readonly created_at: string
  readonly expires_at: string
  /** The id in the system that the message came from. */
  readonly source_id?: string
  /** JWE compact over SealedContent. */
  readonly sealed: string
}

export interface SealedContent {
  readonly recipient: string
  readonly template_data: Readonly<Record<string, unknown>>
  readonly request_headers?: Readonly<Record<string, readonly string[]>>
  readonly rendered?: { readonly subject: string; readonly text: string; readonly html?: string }
}

export function encodeMessage(record: MessageRecord): string {
  return JSON.stringify(record)
}

/** @throws MESSAGE_UNDECODABLE naming the field. */
export function decodeMessage(value: Buffer | string | null): MessageRecord {
  const record = parse(value)
  asMessageId(String(record.id))
  if (!isUuid(String(record.project_id))) fail('project_id', 'a UUID')
  if (!CHANNELS.includes(record.channel as ChannelId)) fail('channel', CHANNELS.join(' | '))
  if (typeof record.template_type !== 'string' || record.template_type === '') fail('template_type', 'a name')
  if (record.lane !== 'urgent' && record.lane !== 'notice') fail('lane', 'urgent | notice')
  if (Number.isNaN(Date.parse(String(record.created_at)))) fail('created_at', 'RFC 3339')
  if (Number.isNaN(Date.parse(String(record.expires_at)))) fail('expires_at', 'RFC 3339')
  if (typeof record.sealed !== 'string') fail('sealed', 'a JWE')
  return record as unknown as MessageRecord
}

function parse(value: Buffer | string | null): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(value === null ? '' : value.toString())
  } catch (cause) {
    throw new CodedError('MESSAGE_UNDECODABLE', 'record: expected a JSON object', { cause })
  }
  if (typeof parsed !== 'object' || parsed === null)
    throw new CodedError('MESSAGE_UNDECODABLE', 'record: expected a JSON object')
  return parsed as Record<string, unknown>
}

function fail(field: string, allowed: string): never {
  throw new CodedError('MESSAGE_UNDECODABLE', `${field}: expected ${allowed}`)
}
