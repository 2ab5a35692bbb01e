/** What of a user's request goes into the mails that it causes: its language, the allowed headers, its payload. */
import type { FastifyRequest } from 'fastify'
import { CodedError } from '#libs/errors'

export interface UserRequest {
  /** The language that the user reads most gladly, as a BCP 47 tag. */
  readonly locale: string | undefined
  /** Those of the allow-list, by canonical name. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  /** Whatever the application passes to its templates. undefined where the request has none. */
  readonly transientPayload: Readonly<Record<string, unknown>> | undefined
}

const TAG = /^[a-z]{1,8}(-[a-z0-9]{1,8})*$/i
const MAX_TAG = 35

/** @throws REQUEST_INVALID for a transient_payload that is no object */
export function userRequestOf(
  { raw, headers }: Pick<FastifyRequest, 'raw' | 'headers'>,
  body: Readonly<Record<string, unknown>>,
  allowlist: readonly string[],
): UserRequest {
  const allowed = allowlist.flatMap((name) => {
    const values = raw.headersDistinct[name.toLowerCase()]
    return values === undefined ? [] : [[canonicalName(name), values] as const]
  })
  return {
    locale: preferredLanguage(headers['accept-language']),
    headers: Object.fromEntries(allowed),
    transientPayload: payloadOf(body.transient_payload),
  }
}

/** The tag with the highest weight of an Accept-Language header (RFC 9110 12.5.4), the first of equals. */
export function preferredLanguage(header = ''): string | undefined {
  let best: { tag: string; weight: number } | undefined
  for (const part of header.split(',')) {
    const [tag = '', ...parameters] = part.split(';').map((text) => text.trim())
    const weight = weightOf(parameters)
    if (!TAG.test(tag) || tag.length > MAX_TAG || weight === 0) continue
    if (best === undefined || weight > best.weight) best = { tag, weight }
  }
  return best?.tag
}

/** 0 for one that is no number, so that it is passed over. */
function weightOf(parameters: readonly string[]): number {
  const given = parameters.find((parameter) => /^q=/i.test(parameter))
  if (given === undefined) return 1
  const weight = Number(given.slice(2))
  return weight >= 0 && weight <= 1 ? weight : 0
}

/** As Ory's templates know it: User-Agent. */
function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase())
}

function payloadOf(given: unknown): UserRequest['transientPayload'] {
  if (given === undefined || given === null) return undefined
  if (typeof given !== 'object' || Array.isArray(given))
    throw new CodedError('REQUEST_INVALID', 'transient_payload: expected a JSON object')
  return given as Record<string, unknown>
}
