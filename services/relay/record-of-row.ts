/** The Kafka record of an outbox row. A row in clear is sealed here; its value never leaves this function otherwise. */
import { randomUUID } from 'node:crypto'
import type { OutRecord } from '#libs/bus'
import { asMessageId, type ChannelId, encodeMessage, idTimeMs, MAX_RECORD_BYTES, type Sealer } from '#libs/messages'
import type { OutboxRow } from '#libs/outbox'
import { newTraceparent, parseTraceparent } from '#libs/telemetry'
import { recipientProblem } from './recipient-problem.ts'

export interface RowRecord {
  readonly record: OutRecord
  readonly traceparent: string
  /** Why nobody could take it; free of addresses and data. */
  readonly problem: string | undefined
}

const CE_TYPE = 'dev.postrider.message.v1'
const CONTENT_TYPE = 'application/json'

export function recordOfRow(row: OutboxRow, sealer: Sealer): RowRecord {
  const traceparent =
    row.traceparent !== null && parseTraceparent(row.traceparent) !== undefined ? row.traceparent : newTraceparent()
  const headers = headersOf(row, traceparent)
  if (row.key !== null && row.value !== null)
    return { record: { key: row.key, value: row.value, headers }, traceparent, problem: undefined }
  const { key, value, problem } = sealPlain(row, sealer)
  return { record: { key, value, headers }, traceparent, problem }
}

/** The row's context is copied unchanged: the one that the message started with, and the one of this hop. */
function headersOf({ id, tracestate }: OutboxRow, traceparent: string): Record<string, string> {
  const headers: Record<string, string> = {
    traceparent,
    ce_traceparent: traceparent,
    ce_id: id,
    ce_type: CE_TYPE,
    'content-type': CONTENT_TYPE,
  }
  if (tracestate !== null) headers.tracestate = tracestate
  return headers
}

function sealPlain(row: OutboxRow, sealer: Sealer): { key: string; value: string; problem: string | undefined } {
  const { recipient, template_data, locale } = row.plain ?? {}
  const id = asMessageId(row.id)
  const value = encodeMessage({
    id,
    project_id: row.project_id,
    channel: row.channel as ChannelId,
    template_type: row.template_type,
    ...(typeof locale === 'string' && { locale }),
    lane: row.lane,
    created_at: new Date(idTimeMs(id)).toISOString(),
    expires_at: row.expires_at.toISOString(),
    sealed: sealer.seal(row.project_id, id, { recipient, template_data }),
  })
  const problem = problemOf(row, value)
  // Whom it was for is unknown: any key will do for a row that is not published.
  const key = sealer.hmac(row.project_id, typeof recipient === 'string' ? recipient : randomUUID())
  return { key, value, problem }
}

function problemOf({ channel, plain }: OutboxRow, value: string): string | undefined {
  const { recipient, template_data } = plain ?? {}
  if (channel !== 'email' && channel !== 'sms') return 'channel: expected email or sms'
  if (typeof recipient !== 'string') return 'recipient: expected a text'
  if (typeof template_data !== 'object' || template_data === null || Array.isArray(template_data))
    return 'template_data: expected a JSON object'
  if (Buffer.byteLength(value) > MAX_RECORD_BYTES) return `record: larger than ${MAX_RECORD_BYTES} bytes`
  return recipientProblem(channel, recipient)
}
