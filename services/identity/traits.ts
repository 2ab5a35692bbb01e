/** What a user may say about themselves, checked at the door. Messages name the field, never its content. */
import { CodedError, isCoded } from '#libs/errors'
import { recipientDomain, validateRecipient } from '#libs/messages'

export interface Traits {
  readonly email: string
  readonly name?: string
}

const MAX_NAME = 200
const KNOWN_KEYS: readonly string[] = ['email', 'name']
/** Stricter than a URL parser's idea of a host, which drops line breaks and stops at `/ ? # \`. */
const HOST = /^[\p{L}\p{M}\p{N}.-]+$/u

/**
 * Traits in stored form: the domain of the address in lower case, everything else as given.
 * @throws REQUEST_INVALID, RECIPIENT_INVALID
 */
export function parseTraits(given: unknown): Traits {
  if (!isObject(given)) throw invalid('traits', 'an object with email and, if wanted, name')
  const unknown = Object.keys(given).find((key) => !KNOWN_KEYS.includes(key))
  if (unknown !== undefined)
    throw invalid(`traits.${unknown.slice(0, 40)}`, `no such trait; known are ${KNOWN_KEYS.join(', ')}`)
  const email = parseAddress(given.email, 'traits.email')
  return given.name === undefined ? { email } : { email, name: parseName(given.name) }
}

/** @throws REQUEST_INVALID, RECIPIENT_INVALID */
export function parseAddress(given: unknown, field: string): string {
  if (typeof given !== 'string') throw invalid(field, 'an address such as ada@example.org')
  checkAddress(given, field)
  const domainAt = given.lastIndexOf('@') + 1
  const domain = given.slice(domainAt)
  return given.slice(0, domainAt) + domain.toLowerCase()
}

/** @throws RECIPIENT_INVALID about `field`, which is what the client knows it as */
function checkAddress(address: string, field: string): void {
  try {
    validateRecipient('email', address)
  } catch (cause) {
    if (!isCoded(cause, 'RECIPIENT_INVALID')) throw cause
    throw new CodedError('RECIPIENT_INVALID', cause.message.replace(/^recipient/, field), { cause })
  }
  if (!HOST.test(address.slice(address.lastIndexOf('@') + 1)))
    throw new CodedError('RECIPIENT_INVALID', `${field}: expected a host name after the @`)
}

/** The form in which two spellings of one address are equal: case-folded, and the domain in ASCII (IDNA). */
export function identifierOf(address: string): string {
  return `${address.slice(0, address.lastIndexOf('@')).normalize('NFC').toLowerCase()}@${recipientDomain(address)}`
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
