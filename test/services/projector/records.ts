/** Records as they come from Kafka, for tests of the projector. */
import type { InRecord } from '#libs/bus'
import {
  asMessageId,
  DEFAULT_PROJECT_ID,
  type EventState,
  encodeMessage,
  encodeStatus,
  type MessageId,
  openSealer,
  type StatusData,
  statusEventId,
} from '#libs/messages'

export const sealer = openSealer(['a secret of sixteen characters or more'])

let counter = 0
/** A new message id; ascending. */
export function newId(): MessageId {
  const time = Date.now().toString(16).padStart(12, '0')
  const tail = (++counter).toString(16).padStart(12, '0')
  return asMessageId(`${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${tail}`)
}

const CREATED_AT = '2026-01-02T03:04:05.678Z'
const EXPIRES_AT = '2026-01-03T03:04:05.678Z'
export const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'

export function messageValue(id: MessageId, recipient = 'ada@example.org'): { key: string; value: string } {
  const value = encodeMessage({
    id,
    project_id: DEFAULT_PROJECT_ID,
    channel: 'email',
    template_type: 'login_code_valid',
    lane: 'urgent',
    created_at: CREATED_AT,
    expires_at: EXPIRES_AT,
    sealed: sealer.seal(DEFAULT_PROJECT_ID, id, { recipient, template_data: { to: recipient, login_code: '123456' } }),
  })
  return { key: sealer.hmac(DEFAULT_PROJECT_ID, recipient), value }
}

export function statusValue(
  id: MessageId,
  status: EventState,
  dispatch: number,
  more: Partial<StatusData> = {},
): { key: string; value: string; headers: Record<string, string> } {
  const data: StatusData = {
    message_id: id,
    project_id: DEFAULT_PROJECT_ID,
    template_type: 'login_code_valid',
    channel: 'email',
    status,
    severity: status === 'sent' ? 'none' : 'temporary',
    terminal: status !== 'deferred' && status !== 'held',
    dispatch,
    attempt: dispatch,
    max_attempts: 6,
    occurred_at: new Date(Date.parse(CREATED_AT) + dispatch * 1_000).toISOString(),
    queued_at: CREATED_AT,
    expires_at: EXPIRES_AT,
    decision: status === 'deferred' ? 'retry' : status,
    attempted: true,
    possibly_delivered: false,
    durations_ms: { send: 12, total: 40 },
    lane: 'urgent',
    trace_id: TRACE_ID,
    worker: 'courier-1',
    ...more,
  }
  const traceparent = `00-${TRACE_ID}-b7ad6b7169203331-00`
  return encodeStatus({ id: statusEventId(id, dispatch, status), data, traceparent, createdBy: traceparent })
}

/** What `value` looks like when the consumer hands it over. */
export function received(
  offset: number,
  { key, value, headers = {} }: { key: string; value: string | null; headers?: Record<string, string> },
): InRecord {
  return {
    offset,
    key: Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
    timestampMs: Date.now(),
  }
}
