/** What a recipient may be, checked at the door and again before the wire. Messages never repeat the address. */
import { domainToASCII } from 'node:url'
import { CodedError } from '#libs/errors'
import type { ChannelId } from './record.ts'

/** RFC 5321 4.5.3.1: 64 octets before the @; 320 in all, as lenient as Ory's own check. */
const MAX_ADDRESS = 320
const MAX_LOCAL = 64
/** Dot-atoms in any dot placement: lenient towards real mailboxes, yet nothing that could end a command or name a second recipient. */
const LOCAL_PART = /^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~.-]+$/u
const DOMAIN = /^(?=.{1,253}$)(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/i
/** What a URL parser drops from a host without a word, or takes for its end. */
const NO_HOST = /[\p{C}\s/?#\\@:]/u
const E164 = /^\+[1-9][0-9]{5,14}$/

/** @throws RECIPIENT_INVALID with what is wrong, without the address. */
export function validateRecipient(channel: ChannelId, recipient: string): void {
  const problem = channel === 'sms' ? phoneProblem(recipient) : addressProblem(recipient)
  if (problem !== undefined) throw new CodedError('RECIPIENT_INVALID', `recipient: ${problem}`)
}

/** The domain of a valid address in ASCII (IDNA), lower case; '' for a phone number. */
export function recipientDomain(recipient: string): string {
  const at = recipient.lastIndexOf('@')
  return at < 0 ? '' : domainToASCII(recipient.slice(at + 1)).toLowerCase()
}

function phoneProblem(recipient: string): string | undefined {
  return E164.test(recipient) ? undefined : 'expected a phone number in E.164 form, such as +4930901820'
}

function addressProblem(recipient: string): string | undefined {
  if (recipient.length === 0 || Buffer.byteLength(recipient) > MAX_ADDRESS) return `expected 3 to ${MAX_ADDRESS} bytes`
  const at = recipient.indexOf('@')
  if (at < 1 || at !== recipient.lastIndexOf('@')) return 'expected one mailbox such as ada@example.org'
  const local = recipient.slice(0, at)
  if (Buffer.byteLength(local) > MAX_LOCAL) return `expected at most ${MAX_LOCAL} bytes before the @`
  if (!LOCAL_PART.test(local)) return "expected letters, digits and !#$%&'*+/=?^_`{|}~.- before the @"
  const domain = recipient.slice(at + 1)
  if (NO_HOST.test(domain) || !DOMAIN.test(domainToASCII(domain))) return 'expected a host name after the @'
  return undefined
}
