/** The files that a build sees: those of the project that .dockerignore lets through. */
import { globSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '..', '..', '..')

interface Rule {
  readonly pattern: RegExp
  readonly isException: boolean
}

const WILDCARDS: Readonly<Record<string, string>> = { '**/': '(?:.+/)?', '*': '[^/]*', '?': '[^/]' }

const RULES = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line): Rule => ({ pattern: patternOf(line.replace(/^!/, '')), isException: line.startsWith('!') }))

/** Whether a build does not see `path`, which is relative to the project. The last rule that fits it or a folder above it holds. */
export function isIgnored(path: string): boolean {
  const parts = path.split('/')
  const places = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
  const rule = RULES.findLast(({ pattern }) => places.some((place) => pattern.test(place)))
  return rule !== undefined && !rule.isException
}

/** As Docker reads them: `*` fits names that begin with a dot too, `**` any number of folders. */
function patternOf(line: string): RegExp {
  const parts = line.split(/(\*\*\/|\*|\?)/).map((part) => WILDCARDS[part] ?? part.replaceAll('.', '\\.'))
  return new RegExp(`^${parts.join('')}$`)
}

/** Every file that a build sees at `source` or below it, relative to the project. */
export function filesAt(source: string): string[] {
  const place = join(ROOT, source)
  if (statSync(place, { throwIfNoEntry: false })?.isFile()) return isIgnored(source) ? [] : [source]
  return globSync(['*', '**/*', '**/.*'], {
    cwd: place,
    withFileTypes: true,
    exclude: ({ name }) => name === 'node_modules',
  })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => !isIgnored(path))
}
