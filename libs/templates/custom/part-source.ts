/** Where the template of one part comes from: a URI of the configuration, or the override folder. */
import { join } from 'node:path'
import type { TemplateFiles } from '#libs/engine'
import type { Resources } from '#libs/resources'
import { chooseMain, mainsOf } from './choose-main.ts'
import { type KeepOptions, type KeptCopy, keepCopy } from './keep-copy.ts'
import { type FolderSets, MAX_SET_BYTES, tooLarge } from './read-folder.ts'
import type { TemplatePart } from './template-parts.ts'

/** One template with the files that it may use. */
export interface TemplateSet {
  readonly files: TemplateFiles
  readonly main: string
  /** The configuration key, or the folder of the files. */
  readonly origin: string
  readonly isFolder: boolean
}

export interface PartSource {
  readonly part: TemplatePart
  /** Names this source among all others. */
  readonly origin: string
  /** The configuration key to look at when nothing can be loaded. */
  readonly setting: string
  /** What `load` would give at once: null is "no template here", undefined is "not known without reading". */
  readonly fresh: (locale?: string) => TemplateSet | null | undefined
  /** @throws RESOURCE_UNAVAILABLE, CONFIG_INVALID where there is no copy at all */
  readonly load: (locale?: string, patienceMs?: number) => Promise<TemplateSet | null>
  /** Every set that `load` gives for some locale. @throws as `load` */
  readonly variants: () => Promise<TemplateSet[]>
}

/** A URI holds one template, whatever the locale. */
export function uriSource(
  part: TemplatePart,
  key: string,
  uri: string,
  resources: Resources,
  keep: KeepOptions,
): PartSource {
  const main = `${part.base}.gotmpl`
  const copy = keepCopy(async (): Promise<TemplateSet> => {
    const bytes = await resources.load(uri)
    if (bytes.length > MAX_SET_BYTES) throw tooLarge(key, bytes.length)
    return { files: { [main]: bytes.toString() }, main, origin: key, isFolder: false }
  }, keep)
  return {
    part,
    origin: key,
    setting: key,
    fresh: () => copy.fresh(),
    load: (_locale, patienceMs) => copy.load(patienceMs),
    variants: async () => [await copy.load()],
  }
}

export function folderSource(part: TemplatePart, folder: string, copy: KeptCopy<FolderSets>): PartSource {
  const setIn = (sets: FolderSets, choose: (files: TemplateFiles) => string | undefined): TemplateSet | null => {
    const files = sets.get(part.base)
    const main = files === undefined ? undefined : choose(files)
    return files === undefined || main === undefined ? null : { files, main, origin: folder, isFolder: true }
  }
  const chosen = (sets: FolderSets, locale?: string): TemplateSet | null =>
    setIn(sets, (files) => chooseMain(files, part.base, locale))
  return {
    part,
    origin: join(folder, `${part.base}.gotmpl`),
    setting: 'courier.template_override_path',
    fresh: (locale) => {
      const sets = copy.fresh()
      return sets === undefined ? undefined : chosen(sets, locale)
    },
    load: async (locale, patienceMs) => chosen(await copy.load(patienceMs), locale),
    variants: async () => {
      const sets = await copy.load()
      return mainsOf(sets.get(part.base) ?? {}, part.base).flatMap((main) => setIn(sets, () => main) ?? [])
    },
  }
}
