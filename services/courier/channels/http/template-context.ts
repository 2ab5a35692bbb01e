/** What a body template sees of a mail. */
import type { OutgoingMail } from '../channel.ts'

/** `ctx`, as JSON. */
export function contextOf(mail: OutgoingMail): string {
  const { html = '' } = mail
  return JSON.stringify({
    recipient: mail.recipient,
    subject: mail.subject,
    body: mail.text,
    ...(html !== '' && { html_body: html }),
    template_type: mail.templateType,
    // Whoever enqueues may leave out what the recipient says already; templates rely on it.
    template_data: { ...mail.templateData, to: mail.templateData.to ?? mail.recipient },
    message_type: mail.messageType,
    request_headers: mail.requestHeaders,
  })
}

/** Hidden keys of `ctx`: there for a template that asks, absent from its print. */
export function extrasOf(mail: OutgoingMail): Readonly<Record<string, unknown>> {
  return {
    message_id: mail.messageId,
    attempt: mail.dispatch,
    idempotency_key: mail.messageId,
    project_id: mail.projectId,
  }
}
