/** What a message says: rendered as its mail is, with codes and links hidden unless they are to be seen. */
import type { Database } from '#libs/database'
import { isCoded, messageOf } from '#libs/errors'
import type { ChannelId, SealedContent, Sealer } from '#libs/messages'
import { type MessageParts, toldProblem } from '#libs/templates'
import { findMessage, type MessageRow } from '../../message-repository.ts'
import { openSealed } from '../../open-sealed.ts'
import { findProjects } from '../../projects/project-repository.ts'
import { checkId, notFound } from '../../show-message.ts'
import type { OpenOwnTemplates, OwnTemplates } from '../own-templates.ts'
import { type Header, mailHeaders } from './mail-headers.ts'
import { maskHtml } from './mask-html.ts'
import { maskData, maskText } from './mask-text.ts'

export interface ContentPorts {
  readonly database: Database
  readonly sealer: Sealer
  readonly openOwnTemplates: OpenOwnTemplates
}

export interface RenderedContent {
  readonly row: MessageRow
  readonly subject: string
  readonly text: string
  readonly html: string | undefined
  readonly headers: readonly Header[]
}

/** @throws REQUEST_INVALID, NOT_FOUND */
export async function renderContent(id: string, isMasked: boolean, ports: ContentPorts): Promise<RenderedContent> {
  checkId(id)
  const row = await findMessage(ports.database, id)
  if (row === undefined) throw notFound()
  const content = openSealed<SealedContent>(row, ports.sealer)
  if (content === undefined) return { row, subject: '', text: '', html: undefined, headers: [['note', missing(row)]] }
  const own = await ports.openOwnTemplates(row.project_id)
  const { note, ...parts } = await renderParts(row, content, isMasked, own)
  const { subject, text, html } = isMasked ? maskParts(parts) : parts
  // A network of Kratos is no project here.
  const [project] = await findProjects(ports.database, row.project_id)
  const projectName = project?.name ?? ''
  const about = { id: row.id, recipient: content.recipient, createdAt: row.created_at, projectName }
  const headers: Header[] =
    row.channel === 'email'
      ? mailHeaders({ ...about, subject, hasHtml: html !== undefined }, own)
      : [['To', content.recipient]]
  return { row, subject, text, html, headers: note === undefined ? headers : [...headers, ['note', note]] }
}

interface NotedParts extends MessageParts {
  readonly note?: string
}

async function renderParts(
  { template_type, channel, locale }: MessageRow,
  content: SealedContent,
  isMasked: boolean,
  { templates, problems }: OwnTemplates,
): Promise<NotedParts> {
  if (content.rendered !== undefined) return content.rendered
  const request = {
    templateType: template_type,
    channel: channel as ChannelId,
    data: isMasked ? maskedData(template_type, content.template_data) : content.template_data,
    ...(locale !== null && { locale }),
    ...(content.request_headers !== undefined && !isMasked && { requestHeaders: content.request_headers }),
  }
  try {
    const parts = await templates.render(request)
    return problems.length === 0 ? parts : { ...parts, note: problems.map(toldProblem).join('; ') }
  } catch (error) {
    if (!isCoded(error)) throw error
    return { subject: '', text: '', note: `It cannot be rendered: ${messageOf(error)}` }
  }
}

/** The fields of a stub are the mail: they are masked as that. */
function maskedData(templateType: string, data: SealedContent['template_data']): Record<string, unknown> {
  return templateType === 'stub' ? { ...data } : maskData(data)
}

/** Also what was rendered from masked data: a template or a free text may hold more than its fields. */
function maskParts({ subject, text, html }: MessageParts): MessageParts {
  return { subject: maskText(subject), text: maskText(text), ...(html !== undefined && { html: maskHtml(html) }) }
}

function missing({ sealed }: MessageRow): string {
  return sealed === null
    ? 'The message itself has not arrived yet: only its status has.'
    : 'The message is sealed with a secret that this console lacks: add it to secrets.cipher.'
}
