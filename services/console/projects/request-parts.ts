/** What a request about projects says beside its body. */
import type { FastifyRequest } from 'fastify'
import { CodedError } from '#libs/errors'
import type { ExpectedRevision } from './store-revision.ts'

const LARGEST = 2 ** 31 - 1
const LONGEST_AUTHOR = 64
const LOCAL = 'local'

/** Whose revision it becomes. Only where no key says that may the caller say it. @throws REQUEST_INVALID */
export function authorOf({ principal, headers }: Pick<FastifyRequest, 'principal' | 'headers'>): string {
  const { 'x-postrider-author': given } = headers
  if (principal !== undefined) return principal.name
  if (given === undefined) return LOCAL
  // Node reads headers as Latin-1.
  const author = typeof given === 'string' ? Buffer.from(given, 'latin1').toString('utf8') : ''
  if (author.trim() === '' || author.length > LONGEST_AUTHOR || /\p{C}/u.test(author))
    throw new CodedError('REQUEST_INVALID', `X-Postrider-Author: expected 1 to ${LONGEST_AUTHOR} printable characters`)
  return author
}

/** @throws REQUEST_INVALID */
export function expectedRevision({ headers }: Pick<FastifyRequest, 'headers'>): ExpectedRevision {
  const given = headers['if-match']
  if (given === undefined || given === '*') return undefined
  const [, number] = /^(?:W\/)?"?(\d{1,9})"?$/.exec(given) ?? []
  if (number === undefined)
    throw new CodedError('REQUEST_INVALID', 'If-Match: expected the ETag of the identity config, such as "3"')
  return Number(number)
}

/** @throws REQUEST_INVALID */
export function readRevisionNumber(value: unknown, field: string, smallest = 1): number {
  const number = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : value
  if (typeof number === 'number' && Number.isInteger(number) && number >= smallest && number <= LARGEST) return number
  throw new CodedError('REQUEST_INVALID', `${field}: expected the number of a revision, ${smallest} or more`)
}
