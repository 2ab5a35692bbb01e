/** Every code that someone branches on. `AREA_REASON`; the message beside it names the key, the shape found and the remedy. */
export type ErrorCode =
  | 'CONFIG_INVALID'
  | 'SEAL_UNKNOWN_KEY'
  | 'SEAL_BROKEN'
  | 'MESSAGE_UNDECODABLE'
  | 'STATUS_UNDECODABLE'
  | 'MESSAGE_TOO_LARGE'
  | 'RECIPIENT_INVALID'
  | 'EXPIRES_INVALID'
  | 'IDEMPOTENCY_MISMATCH'
  | 'TEMPLATE_UNKNOWN'
  | 'TEMPLATE_DATA_INVALID'
  | 'SMTP_URI_INVALID'
  | 'PRODUCE_FAILED'
  | 'PRODUCE_REFUSED'
  | 'PRODUCER_CLOSED'
  | 'PAGE_TOKEN_INVALID'
  | 'PAGE_TOKEN_EXPIRED'
  | 'DATABASE_TOO_OLD'
  | 'PORT_TAKEN'
  | 'SERVER_START_FAILED'
  | 'TOOL_MISSING'
  | 'ALREADY_RUNNING'
  | 'CODE_WRONG'
  | 'FLOW_GONE'
  | 'FLOW_UNKNOWN'
  | 'ADDRESS_TAKEN'
  | 'SESSION_INVALID'
  | 'KEY_INVALID'
  | 'ACCESS_DENIED'
  | 'THROTTLED'
  | 'REQUEST_INVALID'
  | 'REVISION_MISMATCH'
  | 'SLUG_TAKEN'
  | 'NOT_FOUND'
  | 'STATE_CONFLICT'
  | 'ENGINE_BUSY'
  | 'RESOURCE_UNAVAILABLE'

/** An error that a caller may branch on by `code`; everything else that is thrown is a bug or infrastructure. */
export class CodedError extends Error {
  override readonly name = 'CodedError'
  readonly code: ErrorCode
  readonly details: Record<string, unknown> | undefined

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; details?: Record<string, unknown> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details
  }
}

/** Whether `error` is a CodedError, and of `code` where one is given. */
export function isCoded(error: unknown, code?: ErrorCode): error is CodedError {
  return error instanceof CodedError && (code === undefined || error.code === code)
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
