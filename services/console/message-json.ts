/** Rows of the read model as Ory's admin API shows them, and our extra fields. */
import { CodedError, messageOf } from '#libs/errors'
import { oryStatus, type SealedContent, type Sealer, type TemplateType } from '#libs/messages'
import { renderMessage } from '#libs/templates'
import type { BlockedBy, DispatchRow, MessageRow } from './message-repository.ts'

/** What Ory's API shows in place of subject and body, so that clients know it. */
export const REDACTED = '<redacted-unless-dev-mode>'

export interface JsonOptions {
  readonly sealer: Sealer
  readonly dev: boolean
}

export type MessageJson = ReturnType<typeof messageJson>

/** @param blockedBy what stands in the way of its channel, while it waits */
export function messageJson(row: MessageRow, blockedBy: BlockedBy | null, options: JsonOptions) {
  const content = openContent(row, options.sealer)
  return {
    id: row.id,
    status: oryStatus(row.state),
    type: row.channel,
    recipient: content?.recipient ?? '',
    ...partsOf(row, content, options.dev),
    template_type: row.template_type,
    channel: row.channel,
    send_count: row.dispatch,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    state: row.state,
    project_id: row.project_id,
    trace_id: row.trace_id,
    expires_at: row.expires_at.toISOString(),
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    provider_message_id: row.provider_message_id,
    possibly_delivered: row.possibly_delivered,
    last_error: failureWords(row),
    blocked_by: blockedBy,
  }
}

/** undefined where the message itself has not arrived, or its secret is missing here: the rest can still be shown. */
function openContent({ project_id, sealed }: MessageRow, sealer: Sealer): SealedContent | undefined {
  if (sealed === null) return undefined
  try {
    return sealer.open(project_id, sealed) as SealedContent
  } catch (error) {
    if (error instanceof CodedError) return undefined
    throw error
  }
}

function partsOf(row: MessageRow, content: SealedContent | undefined, dev: boolean): { body: string; subject: string } {
  if (!dev || content === undefined) return { body: REDACTED, subject: REDACTED }
  try {
    const { subject, text } = content.rendered ?? render(row, content)
    return { body: text, subject }
  } catch (error) {
    return { body: `cannot be rendered: ${messageOf(error)}`, subject: '' }
  }
}

function render(row: MessageRow, content: SealedContent) {
  return renderMessage({
    templateType: row.template_type as TemplateType,
    channel: row.channel === 'sms' ? 'sms' : 'email',
    data: content.template_data,
    ...(row.locale !== null && { locale: row.locale }),
  })
}

export function dispatchJson(row: DispatchRow) {
  const success = row.state === 'sent'
  return {
    id: row.id,
    message_id: row.message_id,
    status: success ? 'success' : 'failed',
    error: success ? null : dispatchError(row),
    created_at: row.created_at.toISOString(),
    updated_at: row.created_at.toISOString(),
    attempt: row.dispatch,
    class: row.failure_class,
    reply_code: row.reply_code,
    enhanced_code: row.enhanced_code,
    duration_ms: row.duration_ms,
    decision: row.decision,
    provider: row.provider,
  }
}

/** The shape in which Ory stores the error of a dispatch. */
function dispatchError(row: DispatchRow) {
  return {
    code: 500,
    status: 'Internal Server Error',
    reason: 'failed to send the message',
    message: failureWords(row) ?? 'the attempt failed',
  }
}

const REASON_WORDS: Record<string, string> = {
  exhausted: 'Given up after the last retry',
  permanent: 'Refused for good',
  render: 'The message cannot be rendered',
}
const STATE_WORDS: Record<string, string> = {
  expired: 'Expired before it could be sent',
  held: 'Held: it is not known whether the last attempt was delivered',
  suppressed: 'The recipient is on the suppression list',
  superseded: 'Replaced by a newer message',
  cancelled: 'Cancelled',
  bounced: 'Returned by the recipient’s server',
  complained: 'Reported as unwanted by the recipient',
}

interface Failure {
  readonly state: string
  readonly reason?: string | null
  readonly failure_class: string | null
  readonly reply_code: number | null
  readonly enhanced_code: string | null
  readonly error: string | null
}

/** The failure in words, with the reply's codes where the words lack them; null where nothing failed. */
export function failureWords(failure: Failure): string | null {
  const { state, reason, failure_class, reply_code, enhanced_code, error } = failure
  const codes = [reply_code, enhanced_code].filter((code) => code !== null).join(' ')
  const named = codes === '' || error?.includes(String(reply_code)) ? '' : ` (${codes})`
  const words = error ?? (failure_class === null ? null : `Failed: ${failure_class.replaceAll('_', ' ')}`)
  const prefix = STATE_WORDS[state] ?? (reason == null ? null : (REASON_WORDS[reason] ?? reason))
  if (state === 'sent' || (words === null && prefix === null)) return null
  if (words === null) return prefix
  return prefix === null ? `${words}${named}` : `${prefix}: ${words}${named}`
}
