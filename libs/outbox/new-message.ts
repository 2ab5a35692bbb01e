/** A message as a service hands it in, what is refused, and the row that it becomes. */
import { CodedError, isCoded } from '#libs/errors'
import {
  type ChannelId,
  DEFAULT_LIFETIME_MS,
  DEFAULT_PROJECT_ID,
  encodeMessage,
  idTimeMs,
  type Lane,
  laneOf,
  MAX_LIFETIME_MS,
  MAX_RECORD_BYTES,
  type MessageId,
  type Sealer,
  validateRecipient,
} from '#libs/messages'

export interface NewMessage {
  readonly recipient: string
  readonly template_type: string
  readonly template_data: Readonly<Record<string, unknown>>
  /** @default the project that exists everywhere */
  readonly project_id?: string
  /** @default email */
  readonly channel?: ChannelId
  /** @default urgent for what somebody waits for, else notice */
  readonly lane?: Lane
  readonly locale?: string
  readonly identity_id?: string
  /** Ahead, by at most 5 days. @default 24 h after creation */
  readonly expires_at?: Date
  /** W3C context of the span that creates the message; copied unchanged to every hop. */
  readonly traceparent?: string
  readonly tracestate?: string
  /** Headers of the user's request, for templates and payloads; sealed. */
  readonly request_headers?: Readonly<Record<string, readonly string[]>>
  /** The id in the system that the message came from. */
  readonly source_id?: string
}

export interface NewRow {
  readonly id: MessageId
  readonly projectId: string
  readonly channel: ChannelId
  readonly templateType: string
  readonly lane: Lane
  readonly expiresAt: string
  readonly key: string
  readonly value: string
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
}

/** @throws RECIPIENT_INVALID, EXPIRES_INVALID, naming the index and never the address */
export function checkMessages(messages: readonly NewMessage[], nowMs: number): void {
  for (const [index, { recipient, channel = 'email', expires_at }] of messages.entries()) {
    try {
      validateRecipient(channel, recipient)
    } catch (error) {
      if (!isCoded(error)) throw error
      throw new CodedError(error.code, `messages[${index}].${error.message}`, { details: { index } })
    }
    if (expires_at !== undefined) checkExpiry(expires_at, index, nowMs)
  }
}

function checkExpiry(expiresAt: Date, index: number, nowMs: number): void {
  const aheadMs = expiresAt.getTime() - nowMs
  if (aheadMs > 0 && aheadMs <= MAX_LIFETIME_MS) return
  const found = aheadMs > MAX_LIFETIME_MS ? 'more than 5 days' : 'an instant that is not ahead'
  throw new CodedError(
    'EXPIRES_INVALID',
    `messages[${index}].expires_at: found ${found}, allowed at most 5 days ahead`,
    {
      details: { index },
    },
  )
}

/** Seals a message. @throws MESSAGE_TOO_LARGE with the sizes */
export function rowOf(message: NewMessage, id: MessageId, index: number, sealer: Sealer): NewRow {
  const { recipient, template_type, template_data, request_headers, identity_id, locale, source_id } = message
  const projectId = message.project_id ?? DEFAULT_PROJECT_ID
  const channel = message.channel ?? 'email'
  const lane = message.lane ?? laneOf(template_type)
  const createdMs = idTimeMs(id)
  const expiresAt = (message.expires_at ?? new Date(createdMs + DEFAULT_LIFETIME_MS)).toISOString()
  const value = encodeMessage({
    id,
    project_id: projectId,
    channel,
    template_type,
    ...(identity_id !== undefined && { identity_id }),
    ...(locale !== undefined && { locale }),
    lane,
    created_at: new Date(createdMs).toISOString(),
    expires_at: expiresAt,
    ...(source_id !== undefined && { source_id }),
    sealed: sealer.seal(projectId, id, { recipient, template_data, ...(request_headers && { request_headers }) }),
  })
  checkSize(value, index)
  return {
    id,
    projectId,
    channel,
    templateType: template_type,
    lane,
    expiresAt,
    key: sealer.hmac(projectId, recipient),
    value,
    traceparent: message.traceparent,
    tracestate: message.tracestate,
  }
}

function checkSize(value: string, index: number): void {
  const sizeBytes = Buffer.byteLength(value)
  if (sizeBytes <= MAX_RECORD_BYTES) return
  throw new CodedError(
    'MESSAGE_TOO_LARGE',
    `messages[${index}]: found ${sizeBytes} bytes when sealed, allowed ${MAX_RECORD_BYTES}`,
    { details: { index, size_bytes: sizeBytes, max_bytes: MAX_RECORD_BYTES } },
  )
}
