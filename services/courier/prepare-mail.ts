/** Opens a sealed message and renders it: everything between the claim and the wire. */
import { isCoded, messageOf } from '#libs/errors'
import { type MessageRecord, recipientDomain, type SealedContent, type Sealer, validateRecipient } from '#libs/messages'
import type { MessageParts, Templates } from '#libs/templates'
import type { OutgoingMail } from './channels/channel.ts'
import type { Delivery } from './delivery.ts'
import { failedBeforeSend, type TryResult } from './try-result.ts'

export interface PreparedMail {
  readonly mail: OutgoingMail
  readonly domain: string
  readonly renderMs: number
}

export type Prepared = PreparedMail | TryResult

/**
 * A promise only where a template of the user's own has a part in it: the engine takes a moment, the built-ins take none.
 * @throws SEAL_UNKNOWN_KEY: a secret is missing here, so the message has to wait. Every other failure is a result.
 */
export type PrepareMail = (delivery: Delivery, deadlineMs: number) => Prepared | Promise<Prepared>

/** The templates of the project that a message is of. */
export type TemplatesOf = (record: MessageRecord) => Pick<Templates, 'render'>

/** Whose name stands beside the address of the sender, where it is not the channel's own. */
export type SenderOf = (record: MessageRecord) => string | undefined

export function openPrepareMail(
  sealer: Sealer,
  templatesOf: TemplatesOf,
  senderOf: SenderOf = () => undefined,
): PrepareMail {
  return (delivery, deadlineMs) => {
    const { record } = delivery
    let domain: string | undefined
    const failed = (error: unknown): TryResult =>
      failedBeforeSend(isCoded(error, 'RECIPIENT_INVALID') ? 'permanent_recipient' : 'render', messageOf(error), domain)
    try {
      const content = sealer.open(record.project_id, record.sealed) as SealedContent
      validateRecipient(record.channel, content.recipient)
      domain = recipientDomain(content.recipient)
      const startedAt = performance.now()
      const finish = (parts: MessageParts): PreparedMail => ({
        mail: mailOf(delivery, content, parts, senderOf(record), deadlineMs),
        domain: domain ?? '',
        renderMs: performance.now() - startedAt,
      })
      const parts = content.rendered ?? render(templatesOf(record), record, content)
      return parts instanceof Promise ? parts.then(finish, failed) : finish(parts)
    } catch (error) {
      if (isCoded(error, 'SEAL_UNKNOWN_KEY')) throw error
      return failed(error)
    }
  }
}

function mailOf(
  { record, dispatch }: Delivery,
  content: SealedContent,
  { subject, text, html }: MessageParts,
  fromName: string | undefined,
  deadline: number,
): OutgoingMail {
  return {
    messageId: record.id,
    projectId: record.project_id,
    messageType: record.channel,
    templateType: record.template_type,
    templateData: content.template_data,
    requestHeaders: content.request_headers ?? {},
    dispatch,
    recipient: content.recipient,
    subject,
    text,
    ...(html === undefined ? {} : { html }),
    ...(fromName === undefined ? {} : { fromName }),
    date: new Date(record.created_at),
    deadline,
  }
}

function render(
  templates: Pick<Templates, 'render'>,
  { template_type: templateType, channel, locale }: MessageRecord,
  { template_data: data, request_headers: requestHeaders }: SealedContent,
): MessageParts | Promise<MessageParts> {
  return templates.render({
    templateType,
    channel,
    data,
    ...(locale !== undefined && { locale }),
    ...(requestHeaders !== undefined && { requestHeaders }),
  })
}
