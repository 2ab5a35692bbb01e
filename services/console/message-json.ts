/** Rows of the read model as Ory's admin API shows them, and our extra fields. */
import { messageOf } from '#libs/errors'
import { oryStatus, type SealedContent, type Sealer, type TemplateType } from '#libs/messages'
import { renderMessage } from '#libs/templates'
import type { AttemptDetails } from './attempt-details.ts'
import type { BlockedBy, DispatchRow, MessageRow } from './message-repository.ts'
import { openSealed } from './open-sealed.ts'

/** What Ory's API shows in place of subject and body, so that clients know it. */
export const REDACTED = '<redacted-unless-dev-mode>'

export interface JsonOptions {
  readonly sealer: Sealer
  readonly dev: boolean
}

export type MessageJson = ReturnType<typeof messageJson>

/** @param blockedBy what stands in the way of its channel, while it waits */
export function messageJson(row: MessageRow, blockedBy: BlockedBy | null, options: JsonOptions) {
  const content = openSealed<SealedContent>(row, options.sealer)
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
    lane: row.lane,
    identity_id: row.identity_id,
    locale: row.locale,
    trace_id: row.trace_id,
    expires_at: row.expires_at.toISOString(),
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    provider_message_id: row.provider_message_id,
    possibly_delivered: row.possibly_delivered,
    last_error: failureWords(row),
    blocked_by: blockedBy,
    resent_from: row.resent_from,
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

export function dispatchJson(row: DispatchRow, details: AttemptDetails) {
  const success = row.state === 'sent'
  return {
    id: row.id,
    message_id: row.message_id,
    status: success ? 'success' : 'failed',
    error: success ? null : dispatchError(row),
    created_at: row.created_at.toISOString(),
    updated_at: row.created_at.toISOString(),
    attempt: row.dispatch,
    dispatch: row.dispatch,
    charged: row.attempt,
    state: row.state,
    class: row.failure_class,
    reply_code: row.reply_code,
    enhanced_code: row.enhanced_code,
    command: row.command,
    duration_ms: row.duration_ms,
    durations_ms: row.durations ?? {},
    decision: row.decision,
    next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
    provider: row.provider,
    worker: row.worker,
    ...details,
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
