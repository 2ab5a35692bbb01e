/** Reads the body of POST /admin/courier/messages: one message or a list of them, every one checked before any is accepted. */
import { CodedError, isCoded, messageOf } from '#libs/errors'
import {
  CHANNELS,
  type ChannelId,
  isUuid,
  type Lane,
  laneOf,
  MAX_LIFETIME_MS,
  TEMPLATE_TYPES,
  validateRecipient,
} from '#libs/messages'
import { validateTemplateData } from '#libs/templates'

/** One checked element of the body; `project` is still what the caller wrote. */
export interface RequestedMessage {
  /** Where it stands in the body, for errors: `[3].` in a list. */
  readonly at: string
  readonly recipient: string
  readonly template_type: string
  readonly template_data: Record<string, unknown>
  readonly project: string | undefined
  readonly channel: ChannelId
  readonly identity_id: string | undefined
  readonly locale: string | undefined
  readonly lane: Lane
  readonly expires_at: Date | undefined
}

/** Most messages of one request. */
export const MAX_MESSAGES = 1_000

const FIELDS = [
  'recipient',
  'template_type',
  'template_data',
  'project',
  'channel',
  'identity_id',
  'locale',
  'expires_at',
  'lane',
]
const LOCALE = /^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

/** @throws REQUEST_INVALID naming index (where the body is a list) and field */
export function readNewMessages(body: unknown, nowMs: number): RequestedMessage[] {
  if (!Array.isArray(body)) return [readOne(body, '', nowMs)]
  if (body.length === 0) throw invalid('body', 'expected at least one message')
  if (body.length > MAX_MESSAGES)
    throw invalid('body', `expected at most ${MAX_MESSAGES} messages, found ${body.length}`)
  return body.map((element, index) => readOne(element, `[${index}].`, nowMs))
}

function readOne(element: unknown, at: string, nowMs: number): RequestedMessage {
  if (!isObject(element)) throw invalid(at === '' ? 'body' : at.slice(0, -1), 'expected an object')
  const unknown = Object.keys(element).find((key) => !FIELDS.includes(key))
  if (unknown !== undefined)
    throw invalid(`${at}${unknown.slice(0, 60)}`, `unknown field, expected ${FIELDS.join(', ')}`)

  const template_type = oneOf(element, 'template_type', TEMPLATE_TYPES, at)
  if (template_type === undefined) throw invalid(`${at}template_type`, 'is missing')
  const channel = oneOf(element, 'channel', CHANNELS, at) ?? 'email'
  const lane = oneOf(element, 'lane', ['urgent', 'notice'] as const, at) ?? laneOf(template_type)
  const recipient = text(element, 'recipient', at)
  if (recipient === undefined) throw invalid(`${at}recipient`, 'is missing')
  checkRecipient(channel, recipient, at)
  return {
    at,
    recipient,
    template_type,
    template_data: templateData(element.template_data, { templateType: template_type, channel, recipient, at }),
    project: text(element, 'project', at),
    channel,
    identity_id: matching(element, 'identity_id', isUuid, 'a lower-case UUID', at),
    locale: matching(element, 'locale', (value) => LOCALE.test(value), 'a language tag such as de-DE', at),
    lane,
    expires_at: expiry(element, at, nowMs),
  }
}

function checkRecipient(channel: ChannelId, recipient: string, at: string): void {
  try {
    validateRecipient(channel, recipient)
  } catch (error) {
    if (isCoded(error, 'RECIPIENT_INVALID'))
      throw invalid(`${at}recipient`, messageOf(error).replace(/^recipient: /, ''))
    throw error
  }
}

interface DataOf {
  readonly templateType: string
  readonly channel: ChannelId
  readonly recipient: string
  readonly at: string
}

function templateData(found: unknown, { templateType, channel, recipient, at }: DataOf): Record<string, unknown> {
  if (found !== undefined && !isObject(found)) throw invalid(`${at}template_data`, 'expected an object')
  const data = templateType === 'stub' ? { ...found } : { to: recipient, ...found }
  let problems: string[]
  try {
    problems = validateTemplateData(templateType, data, channel)
  } catch (error) {
    if (isCoded(error, 'TEMPLATE_UNKNOWN')) throw invalid(`${at}template_type`, messageOf(error))
    throw error
  }
  if (problems.length > 0) throw invalid(`${at}template_data`, problems.join('; '))
  return data
}

function expiry(element: Record<string, unknown>, at: string, nowMs: number): Date | undefined {
  const found = text(element, 'expires_at', at)
  if (found === undefined) return undefined
  const expiresAt = new Date(found)
  if (!RFC_3339.test(found) || Number.isNaN(expiresAt.getTime())) {
    throw invalid(`${at}expires_at`, 'expected RFC 3339 such as 2030-01-31T12:00:00Z')
  }
  if (expiresAt.getTime() <= nowMs) throw invalid(`${at}expires_at`, 'is in the past')
  if (expiresAt.getTime() > nowMs + MAX_LIFETIME_MS) throw invalid(`${at}expires_at`, 'is more than 5 days ahead')
  return expiresAt
}

function text(element: Record<string, unknown>, field: string, at: string): string | undefined {
  const found = element[field]
  if (found === undefined || found === null) return undefined
  if (typeof found !== 'string' || found === '') throw invalid(`${at}${field}`, 'expected a text that is not empty')
  return found
}

function oneOf<T extends string>(
  element: Record<string, unknown>,
  field: string,
  allowed: readonly T[],
  at: string,
): T | undefined {
  const found = text(element, field, at)
  const known = allowed.find((value) => value === found)
  if (found !== undefined && known === undefined)
    throw invalid(`${at}${field}`, `expected one of ${allowed.join(', ')}`)
  return known
}

function matching(
  element: Record<string, unknown>,
  field: string,
  matches: (value: string) => boolean,
  shape: string,
  at: string,
): string | undefined {
  const found = text(element, field, at)
  if (found !== undefined && !matches(found)) throw invalid(`${at}${field}`, `expected ${shape}`)
  return found
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(field: string, problem: string): CodedError {
  return new CodedError('REQUEST_INVALID', `${field}: ${problem}`, { details: { field } })
}
