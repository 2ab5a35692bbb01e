/** Errors as Ory's APIs show them: `{"error":{"code","status","message","reason"?,"details"?}}`. */
import { STATUS_CODES } from 'node:http'
import { isTransient, pgCode } from '#libs/database'
import { type ErrorCode, isCoded } from '#libs/errors'

export interface ErrorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: {
    readonly error: {
      readonly code: number
      readonly status: string
      readonly message: string
      readonly reason?: string
      readonly details?: Record<string, unknown>
    }
  }
}

/** Codes that a caller caused; every other one is our own failure. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  REQUEST_INVALID: 400,
  RECIPIENT_INVALID: 400,
  EXPIRES_INVALID: 400,
  TEMPLATE_UNKNOWN: 400,
  TEMPLATE_DATA_INVALID: 400,
  PAGE_TOKEN_INVALID: 400,
  PAGE_TOKEN_EXPIRED: 400,
  CODE_WRONG: 400,
  SESSION_INVALID: 401,
  KEY_INVALID: 401,
  ACCESS_DENIED: 403,
  NOT_FOUND: 404,
  FLOW_UNKNOWN: 404,
  ADDRESS_TAKEN: 409,
  SLUG_TAKEN: 409,
  STATE_CONFLICT: 409,
  FLOW_GONE: 410,
  REVISION_MISMATCH: 412,
  MESSAGE_TOO_LARGE: 413,
  IDEMPOTENCY_MISMATCH: 422,
  THROTTLED: 429,
}
const OWN_FAILURE = 'The request failed on our side and had no effect. Try it again.'

/** PostgreSQL's own words for it name the bytes. Text and JSON have a code each. */
const UNSTORABLE: ReadonlySet<string> = new Set(['22021', '22P05'])

/** Seconds after which a database that is starting or switching over may be back. */
const RETRY_AFTER_S = '2'

/** What to answer to `error`. Messages of unexpected errors stay inside: they may quote what they failed on. */
export function errorAnswer(error: unknown): ErrorAnswer {
  if (isCoded(error)) {
    const { retryAfterMs, ...details } = error.details ?? {}
    const headers =
      typeof retryAfterMs === 'number' ? { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) } : {}
    const status = STATUS[error.code]
    if (status !== undefined) return answer(status, error.message, { headers, details })
  }
  if (isTransient(error))
    return answer(503, 'The database is not available.', { headers: { 'retry-after': RETRY_AFTER_S } })
  if (UNSTORABLE.has(pgCode(error) ?? ''))
    return answer(400, 'The request has the character U+0000 in it, which no value may have: leave it out.')
  if (isOfWrongType(error)) return answer(415, 'Content-Type: expected application/json with a body of JSON')
  const status = clientStatus(error)
  return status === undefined ? answer(500, OWN_FAILURE) : answer(status, (error as Error).message)
}

/** The 4xx that the HTTP framework gives to a body that it cannot read. */
function clientStatus(error: unknown): number | undefined {
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined
}

function isOfWrongType(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE'
}

function answer(
  status: number,
  message: string,
  { headers = {}, details = {} }: { headers?: Record<string, string>; details?: Record<string, unknown> } = {},
): ErrorAnswer {
  const hasDetails = Object.keys(details).length > 0
  return {
    status,
    headers,
    body: { error: { code: status, status: STATUS_CODES[status] ?? '', message, ...(hasDetails && { details }) } },
  }
}
