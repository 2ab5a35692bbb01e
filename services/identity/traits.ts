/** What a user may say about themselves, checked at the door. Messages name the field, never its content. */
import { CodedError, isCoded } from '#libs/errors'
import { type ChannelId, recipientDomain, validateRecipient } from '#libs/messages'

/** At least one of `email` and `phone` is there. */
export interface Traits {
  readonly email?: string
  /** E.164. */
  readonly phone?: string
  readonly name?: string
}

/** Where a code or link goes. */
export interface Target {
  readonly via: ChannelId
  readonly address: string
}

/** The trait that holds the address of a channel. */
export const TRAIT_OF = { email: 'email', sms: 'phone' } as const satisfies Record<ChannelId, keyof Traits>

const MAX_NAME = 200
const KNOWN_KEYS: readonly string[] = ['email', 'phone', 'name']
/** Stricter than a URL parser's idea of a host, which drops line breaks and stops at `/ ? # \`. */
const HOST = /^[\p{L}\p{M}\p{N}.-]+$/u

/**
 * Traits in stored form: the domain of the address in lower case, everything else as given.
 * @throws REQUEST_INVALID, RECIPIENT_INVALID
 */
export function parseTraits(given: unknown): Traits {
  const { email, phone, name } = knownTraits(given)
  if (email === undefined && phone === undefined) throw invalid('traits', 'an object with email or phone, or both')
  return {
    ...(email !== undefined && { email: parseAddress(email, 'traits.email') }),
    ...(phone !== undefined && { phone: parsePhone(phone, 'traits.phone') }),
    ...(name !== undefined && { name: parseName(name) }),
  }
}

/**
 * `traits` with what `given` says: a trait that is not named stays, null takes one away.
 * @throws REQUEST_INVALID, RECIPIENT_INVALID
 */
export function changedTraits(traits: Traits, given: unknown): Traits {
  const merged = Object.entries({ ...traits, ...knownTraits(given) }).filter(([, value]) => value !== null)
  return parseTraits(Object.fromEntries(merged))
}

function knownTraits(given: unknown): Record<string, unknown> {
  if (!isObject(given)) throw invalid('traits', 'an object with email or phone, and if wanted name')
  const unknown = Object.keys(given).find((key) => !KNOWN_KEYS.includes(key))
  if (unknown !== undefined)
    throw invalid(`traits.${unknown.slice(0, 40)}`, `no such trait; known are ${KNOWN_KEYS.join(', ')}`)
  return given
}

/** What a registration proves first: the mail address where there is one. */
export function targetOf(traits: Traits): Target {
  return traits.email === undefined
    ? { via: 'sms', address: traits.phone ?? '' }
    : { via: 'email', address: traits.email }
}

/**
 * Reads `{"email"}`, `{"phone"}` or `{"identifier"}` with either in it.
 * @throws REQUEST_INVALID, RECIPIENT_INVALID
 */
export function parseTarget({ email, phone, identifier }: Readonly<Record<string, unknown>>): Target {
  const given = [email, phone, identifier].filter((value) => value !== undefined)
  if (given.length !== 1) throw invalid('body', 'exactly one of email, phone and identifier')
  if (email !== undefined) return { via: 'email', address: parseAddress(email, 'email') }
  if (phone !== undefined) return { via: 'sms', address: parsePhone(phone, 'phone') }
  const isPhone = typeof identifier === 'string' && identifier.startsWith('+') && !identifier.includes('@')
  return isPhone
    ? { via: 'sms', address: parsePhone(identifier, 'identifier') }
    : { via: 'email', address: parseAddress(identifier, 'identifier') }
}

/** @throws REQUEST_INVALID, RECIPIENT_INVALID */
export function parseAddress(given: unknown, field: string): string {
  if (typeof given !== 'string') throw invalid(field, 'an address such as ada@example.org')
  checkRecipient('email', given, field)
  const domainAt = given.lastIndexOf('@') + 1
  const domain = given.slice(domainAt)
  if (!HOST.test(domain)) throw new CodedError('RECIPIENT_INVALID', `${field}: expected a host name after the @`)
  return given.slice(0, domainAt) + domain.toLowerCase()
}

function parsePhone(given: unknown, field: string): string {
  if (typeof given !== 'string') throw invalid(field, 'a phone number in E.164 form, such as +4930901820')
  checkRecipient('sms', given, field)
  return given
}

/** @throws RECIPIENT_INVALID about `field`, which is what the client knows it as */
function checkRecipient(channel: ChannelId, address: string, field: string): void {
  try {
    validateRecipient(channel, address)
  } catch (cause) {
    if (!isCoded(cause, 'RECIPIENT_INVALID')) throw cause
    throw new CodedError('RECIPIENT_INVALID', cause.message.replace(/^recipient/, field), { cause })
  }
}

/** The form in which two spellings of one address are equal: case-folded, and the domain in ASCII (IDNA). A phone number has one form. */
export function identifierOf(address: string): string {
  const at = address.lastIndexOf('@')
  return at < 0 ? address : `${address.slice(0, at).normalize('NFC').toLowerCase()}@${recipientDomain(address)}`
}

function parseName(given: unknown): string {
  const fits = typeof given === 'string' && given.length > 0 && [...given].length <= MAX_NAME
  // PostgreSQL's jsonb takes neither U+0000 nor half a surrogate pair; other controls have no place in a name.
  if (!fits || /\p{Cc}/u.test(given) || !given.isWellFormed())
    throw invalid('traits.name', `1 to ${MAX_NAME} characters without control characters`)
  return given
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(field: string, allowed: string): CodedError {
  return new CodedError('REQUEST_INVALID', `${field}: expected ${allowed}`)
}
