import { join } from 'node:path'
import type { Config } from '#libs/config'
import { type ChannelId, TEMPLATE_TYPES, type TemplateType } from '#libs/messages'
import type { Resources } from '#libs/resources'
import { TEMPLATE_KINDS } from '../template-types.ts'
import { type KeepOptions, keepCopy } from './keep-copy.ts'
import { folderSource, type PartSource, uriSource } from './part-source.ts'
import { readFolder } from './read-folder.ts'
import { TEMPLATE_PARTS, type TemplatePart } from './template-parts.ts'

export interface OwnTemplatesConfig {
  /** `courier.templates`. */
  readonly templates: Config['courier']['templates']
  /** `courier.template_override_path`. */
  readonly overridePath?: string | undefined
}

/** The sources of a type on a channel. */
export interface TypeSources {
  readonly templateType: TemplateType
  readonly channel: ChannelId
  readonly parts: readonly PartSource[]
}

/** Every place where a template of one's own may be; nothing is read yet. Types and channels that have none are missing. */
export function listSources(config: OwnTemplatesConfig, resources: Resources, keep: KeepOptions): TypeSources[] {
  return TEMPLATE_TYPES.flatMap((templateType) => {
    const { folder, fields } = TEMPLATE_KINDS[templateType]
    if (folder === undefined) return []
    const findPart = partFinder(folder, config, resources, keep)
    return (['email', 'sms'] as const)
      .filter((channel) => fields[channel] !== undefined)
      .map((channel) => ({
        templateType,
        channel,
        parts: TEMPLATE_PARTS[channel].flatMap((part) => findPart(part) ?? []),
      }))
      .filter(({ parts }) => parts.length > 0)
  })
}

function partFinder(
  folder: string,
  { templates, overridePath = '' }: OwnTemplatesConfig,
  resources: Resources,
  keep: KeepOptions,
): (part: TemplatePart) => PartSource | undefined {
  const path = join(overridePath, folder)
  const copy = keepCopy(() => readFolder(overridePath, folder), keep)
  return (part) => {
    const keys = [...folder.split('/'), ...part.key]
    const uri = keys.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], templates)
    // An empty text counts as not set, as it does for Ory.
    if (typeof uri === 'string' && uri !== '') {
      return uriSource(part, `courier.templates.${keys.join('.')}`, uri, resources, keep)
    }
    return overridePath === '' ? undefined : folderSource(part, path, copy)
  }
}
