/** The shapes of request bodies that several routes have. Messages name the field, never its content. */
import { CodedError } from '#libs/errors'
import type { Method } from './flow-repository.ts'
import type { Target } from './traits.ts'

const CODE = /^[0-9]{6}$/

/** @throws REQUEST_INVALID */
export function objectOf(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new CodedError('REQUEST_INVALID', 'body: expected a JSON object')
  return body as Record<string, unknown>
}

/** @throws REQUEST_INVALID */
export function codeOf(given: unknown): string {
  if (typeof given !== 'string' || !CODE.test(given))
    throw new CodedError('REQUEST_INVALID', 'code: expected six digits as a text')
  return given
}

/**
 * How a verification or recovery is proven; by code where nothing is said.
 * @throws REQUEST_INVALID, also for a link by SMS
 */
export function methodOf(given: unknown, { via }: Target): Method {
  if (given === undefined || given === 'code') return 'code'
  if (given === 'link' && via === 'email') return 'link'
  const allowed = via === 'email' ? 'code or link' : 'code, since links go by mail only'
  throw new CodedError('REQUEST_INVALID', `method: expected ${allowed}`)
}
