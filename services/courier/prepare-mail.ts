/** Opens a sealed message and renders it: everything between the claim and the wire. */
import { isCoded, messageOf } from '#libs/errors'
import { type MessageRecord, recipientDomain, type SealedContent, type Sealer, validateRecipient } from '#libs/messages'
import { type MessageParts, renderMessage } from '#libs/templates'
import type { OutgoingMail } from './channels/channel.ts'
import type { Delivery } from './delivery.ts'
import { failedBeforeSend, type TryResult } from './try-result.ts'

export interface PreparedMail {
  readonly mail: OutgoingMail
  readonly domain: string
  readonly renderMs: number
}

/** @throws SEAL_UNKNOWN_KEY: a secret is missing here, so the message has to wait. Every other failure is a result. */
export type PrepareMail = (delivery: Delivery, deadlineMs: number) => PreparedMail | TryResult

export function openPrepareMail(sealer: Sealer): PrepareMail {
  return (delivery, deadlineMs) => {
    const { record } = delivery
    let domain: string | undefined
    try {
      const content = sealer.open(record.project_id, record.sealed) as SealedContent
      validateRecipient(record.channel, content.recipient)
      domain = recipientDomain(content.recipient)
      const startedAt = performance.now()
      const { subject, text, html } = content.rendered ?? render(record, content)
      const mail: OutgoingMail = {
        messageId: record.id,
        projectId: record.project_id,
        messageType: record.channel,
        templateType: record.template_type,
        templateData: content.template_data,
        requestHeaders: content.request_headers ?? {},
        dispatch: delivery.dispatch,
        recipient: content.recipient,
        subject,
        text,
        ...(html === undefined ? {} : { html }),
        date: new Date(record.created_at),
        deadline: deadlineMs,
      }
      return { mail, domain, renderMs: performance.now() - startedAt }
    } catch (error) {
      if (isCoded(error, 'SEAL_UNKNOWN_KEY')) throw error
      return failedBeforeSend(
        isCoded(error, 'RECIPIENT_INVALID') ? 'permanent_recipient' : 'render',
        messageOf(error),
        domain,
      )
    }
  }
}

function render(record: MessageRecord, content: SealedContent): MessageParts {
  return renderMessage({
    templateType: record.template_type,
    channel: record.channel,
    data: content.template_data,
    ...(record.locale === undefined ? {} : { locale: record.locale }),
  })
}
