/** One mistake, told with its place. */
import type { ConfigFile } from './read-config-file.ts'
import type { Assignment } from './read-environment.ts'
import { keyOf, type Path } from './schema-node.ts'

export interface Problem {
  /** The key as it is told. */
  readonly path: Path
  /** Where to look for it; @default `path` */
  readonly at?: Path
  /** What was found and what is allowed. */
  readonly text: string
  /** The variable that holds it, where that is known. */
  readonly variable?: string
}

/** Where values came from; both with the ones that apply last at the end. */
export interface Sources {
  readonly files: readonly ConfigFile[]
  readonly assignments: readonly Assignment[]
}

/** What a key may consist of; anything else is a line that is written wrong, perhaps with a secret in it. */
const KEY = /^[\w.$-]{1,64}$/

/** `file:line:column key: text`, or `VARIABLE (environment) key: text`, or `key: text` where neither holds it. */
export function toldWithPlace({ path, at = path, text, variable }: Problem, sources: Sources): string {
  const place = variable === undefined ? placeOf(at, sources) : `${variable} (environment)`
  return `${place} ${shownKey(path) || 'configuration'}: ${text}`.trim()
}

/** The key without what could be a value. */
export function shownKey(path: Path): string {
  return keyOf(path.map((part) => (KEY.test(String(part)) ? part : '[redacted]')))
}

function placeOf(path: Path, { files, assignments }: Sources): string {
  const setters = assignments.filter((assignment) => isWithin(path, assignment.path))
  const setter = setters.at(-1)
  if (setter !== undefined) return `${setter.variable} (environment)`
  const places = files.map(({ name, placeOf }) => ({ name, ...placeOf(path) }))
  const place = places.findLast(({ isExact }) => isExact) ?? places.at(-1)
  const inFile = place === undefined ? '' : `${place.name}:${place.line}:${place.column}`
  if (place?.isExact) return inFile
  // Something is missing: beside what a variable set, else in the file.
  const beside = assignments.find((assignment) => path.length > 1 && isWithin(assignment.path, path.slice(0, -1)))
  return beside === undefined ? inFile : `${beside.variable} (environment)`
}

/** Whether `path` is `parent` or below it. */
function isWithin(path: Path, parent: Path): boolean {
  return parent.every((part, index) => String(path[index]) === String(part))
}
