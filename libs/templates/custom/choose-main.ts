import type { TemplateFiles } from '#libs/engine'

/** A language with script and region: `de`, `de-DE`, `zh_Hant_TW`. Longer words, such as `footer`, are none. */
const LANGUAGE_TAG = /^[a-z]{2,3}(-[a-z0-9]{2,8})*$/

/**
 * The file of a set to begin with: for `de-DE` that of `de-DE`, then of `de`, then the one without a language. Case and `_` for `-`
 * do not matter. undefined: the set has none of them.
 */
export function chooseMain(files: TemplateFiles, base: string, locale?: string): string | undefined {
  const names = new Map(Object.keys(files).map((name) => [normalised(name), name]))
  return [...tagsOf(locale), '']
    .map((tag) => names.get(normalised(`${base}${tag === '' ? '' : `.${tag}`}.gotmpl`)))
    .find((name) => name !== undefined)
}

/** Every file of a set that `chooseMain` gives for some locale. */
export function mainsOf(files: TemplateFiles, base: string): string[] {
  return Object.keys(files).filter((name) => {
    if (!name.startsWith(base) || !name.endsWith('.gotmpl')) return false
    const tag = name.slice(base.length, -'.gotmpl'.length)
    return tag === '' || (tag.startsWith('.') && LANGUAGE_TAG.test(normalised(tag.slice(1))))
  })
}

/** From the most to the least exact. */
function tagsOf(locale = ''): string[] {
  const tag = normalised(locale)
  if (!LANGUAGE_TAG.test(tag)) return []
  const subtags = tag.split('-')
  return subtags.map((_, dropped) => subtags.slice(0, subtags.length - dropped).join('-'))
}

function normalised(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}
