/** GET /admin/courier/templates: the types, what each takes, and which of them the project replaced. */
import type { Config } from '#libs/config'
import { CHANNELS, TEMPLATE_TYPES, type TemplateType } from '#libs/messages'
import { fieldsOf, sampleData, TEMPLATE_KINDS } from '#libs/templates'
import type { OwnTemplates } from '../own-templates.ts'

/** `uri`: one that the configuration names; `folder`: looked for in template_override_path; `built_in`: neither. */
type Source = 'uri' | 'folder' | 'built_in'

export function listTemplates({ settings, operator }: Pick<OwnTemplates, 'settings' | 'operator'>) {
  const { templates, template_override_path: folder } = settings.courier
  // Files of the server are the operator's.
  const hasFolder = settings === operator && (folder ?? '') !== ''
  return TEMPLATE_TYPES.map((type) => ({
    template_type: type,
    channels: Object.fromEntries(
      CHANNELS.filter((channel) => TEMPLATE_KINDS[type].fields[channel] !== undefined).map((channel) => [
        channel,
        {
          fields: fieldsOf(type, channel).map(({ json, shape, required }) => ({ name: json, type: shape, required })),
          sample: sampleData(type, channel),
          source: sourceOf(type, channel, templates, hasFolder),
        },
      ]),
    ),
  }))
}

function sourceOf(
  type: TemplateType,
  channel: string,
  templates: Config['courier']['templates'],
  hasFolder: boolean,
): Source {
  const { folder } = TEMPLATE_KINDS[type]
  if (folder === undefined) return 'built_in'
  const part = [...folder.split('/'), channel].reduce<unknown>(
    (value, key) => (value as Record<string, unknown> | undefined)?.[key],
    templates,
  )
  if (holdsText(part)) return 'uri'
  return hasFolder ? 'folder' : 'built_in'
}

function holdsText(value: unknown): boolean {
  if (typeof value === 'string') return value !== ''
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsText)
}
