/** What a template makes of sample data, by the project's own templates where it has some. Sends nothing, keeps nothing. */
import { CodedError } from '#libs/errors'
import { CHANNELS, type ChannelId, TEMPLATE_TYPES } from '#libs/messages'
import { type MessageParts, type RenderRequest, sampleData, toldProblem } from '#libs/templates'
import { readFields } from '../../projects/create-project.ts'
import type { OwnTemplates } from '../own-templates.ts'

export interface Preview extends MessageParts {
  /** What is wrong with templates of the project; the built-in part stands in their place. */
  readonly problems: readonly string[]
}

const FIELDS = ['template_type', 'channel', 'locale', 'data']
const LOCALE = /^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,7}$/

/** Sample data, with what the caller gives in their place. @throws REQUEST_INVALID, TEMPLATE_UNKNOWN */
export function readPreview(body: unknown): RenderRequest {
  const { template_type: type, channel = 'email', locale, data = {} } = readFields(body, FIELDS)
  if (!TEMPLATE_TYPES.some((each) => each === type))
    throw invalid('template_type', `expected one of ${TEMPLATE_TYPES.join(', ')}`)
  if (!CHANNELS.some((each) => each === channel)) throw invalid('channel', `expected ${CHANNELS.join(' or ')}`)
  if (locale !== undefined && (typeof locale !== 'string' || !LOCALE.test(locale)))
    throw invalid('locale', 'expected a language tag such as de or pt-BR')
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw invalid('data', 'expected an object')
  return {
    templateType: type as string,
    channel: channel as ChannelId,
    data: { ...sampleData(type as string, channel as ChannelId), ...data },
    ...(locale !== undefined && { locale }),
  }
}

/** @throws TEMPLATE_DATA_INVALID naming every wrong field */
export async function previewTemplate(request: RenderRequest, { templates, problems }: OwnTemplates): Promise<Preview> {
  const parts = await templates.render(request)
  return { ...parts, problems: problems.map(toldProblem) }
}

function invalid(field: string, problem: string): CodedError {
  return new CodedError('REQUEST_INVALID', `${field}: ${problem}`, { details: { field } })
}
