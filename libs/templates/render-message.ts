/** Renders all parts of one message at one time. Synchronous, a few microseconds once a type's templates are compiled. */
import { CodedError } from '#libs/errors'
import type { ChannelId } from '#libs/messages'
import { builtinEmail, builtinSms } from './builtin-templates.ts'
import { validateTemplateData } from './validate-template-data.ts'

export interface RenderRequest {
  readonly templateType: string
  readonly channel: ChannelId
  /** As the caller sent it; checked here again, since not every message came through our own door. */
  readonly data: Readonly<Record<string, unknown>>
  /** Chooses among templates of one's own; the built-ins speak English whatever is asked for. */
  readonly locale?: string
  /** Of the request that caused the message: `.UserRequestHeaders` in templates of one's own. */
  readonly requestHeaders?: Readonly<Record<string, readonly string[]>>
}

export interface MessageParts {
  /** '' for SMS. */
  readonly subject: string
  readonly text: string
  readonly html?: string
}

/** With the built-in templates. @throws as `checkTemplateData` */
export function renderMessage(request: RenderRequest): MessageParts {
  checkTemplateData(request)
  return renderBuiltin(request)
}

/**
 * @throws TEMPLATE_UNKNOWN for a type without a template for the channel; TEMPLATE_DATA_INVALID naming every wrong field.
 * No message quotes a value.
 */
export function checkTemplateData({ templateType, channel, data }: RenderRequest): void {
  const problems = validateTemplateData(templateType, data, channel)
  if (problems.length > 0) {
    throw new CodedError('TEMPLATE_DATA_INVALID', `template_data of ${templateType}: ${problems.join('; ')}`)
  }
}

/** Of data that are checked. */
export function renderBuiltin({ templateType, channel, data }: RenderRequest): MessageParts {
  if (templateType === 'stub') return stubParts(channel, data)
  if (channel === 'sms') return { subject: '', text: builtinSms(templateType)(data) }
  const { subject, text, html } = builtinEmail(templateType)
  // Trimmed here as Ory trims it, so that a subject file may end with a newline.
  return { subject: subject(data).trim(), text: text(data), html: html(data) }
}

/** The fields themselves are the parts; they are texts, or validation had refused them. */
function stubParts(channel: ChannelId, data: RenderRequest['data']): MessageParts {
  const text = String(data.body)
  if (channel === 'sms') return { subject: '', text }
  const html = data.html_body ?? ''
  return { subject: String(data.subject), text, ...(html !== '' && { html: String(html) }) }
}
