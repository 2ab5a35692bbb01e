import { isCoded } from '#libs/errors'
import type { ChannelId, SealedContent } from '#libs/messages'
import { validateTemplateData } from '#libs/templates'

/** The model that Kratos stored; undefined where it is no JSON object. */
export function dataOf(stored: Buffer | null): Record<string, unknown> | undefined {
  try {
    const data: unknown = JSON.parse(stored?.toString() ?? '')
    return isObject(data) ? data : undefined
  } catch {
    // Its text must not reach a log by an error of the parser.
    return undefined
  }
}

/** Whether Postrider's templates can make the mail. A type or a model that they do not know goes out as Kratos rendered it. */
export function isRenderable(
  templateType: string,
  data: Record<string, unknown> | undefined,
  channel: ChannelId,
): boolean {
  if (data === undefined) return false
  try {
    return validateTemplateData(templateType, data, channel).length === 0
  } catch (error) {
    if (isCoded(error, 'TEMPLATE_UNKNOWN')) return false
    throw error
  }
}

/** The headers of the user's request, as far as they are what Kratos writes: lists of texts by name. */
export function headersOf(stored: unknown): SealedContent['request_headers'] {
  if (!isObject(stored)) return undefined
  const lists = Object.entries(stored).filter((entry): entry is [string, string[]] => isTexts(entry[1]))
  return lists.length === 0 ? undefined : Object.fromEntries(lists)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}
