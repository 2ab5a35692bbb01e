import { readFileSync } from 'node:fs'
import { ALIASES, type Target, targetOf } from './environment-names.ts'
import type { Problem } from './problem.ts'
import type { Path, SchemaNode } from './schema-node.ts'

export type Environment = Readonly<Record<string, string | undefined>>

export interface Assignment {
  readonly variable: string
  readonly path: Path
  readonly value: unknown
}

const BOOLEANS = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
])
/** Not a host such as `[::1]:9092`; a list that is written wrong is refused, not taken for one odd secret. */
const JSON_LIST = /^\s*\[(.*\]\s*$|\s*")/s
const FILE_SUFFIX = '_FILE'

/**
 * The keys that variables set; an empty variable counts as unset. `NAME_FILE` takes the value from a file, without its last line end.
 * @returns in the order in which they apply: whole values before parts of them
 */
export function readEnvironment(
  root: SchemaNode,
  env: Environment,
): { assignments: Assignment[]; problems: Problem[] } {
  const assignments: Assignment[] = []
  const problems: Problem[] = []
  for (const variable of Object.keys(env)
    .filter((name) => env[name])
    .sort(byWeight)) {
    const named = namedBy(root, variable)
    if (named === undefined) continue
    const read = named.isFile ? readValue(env, variable) : { text: env[variable] ?? '' }
    if ('text' in read) assignments.push({ variable, path: named.path, value: coerced(named.node, read.text) })
    else problems.push({ variable, path: named.path, text: read.problem })
  }
  return { assignments: assignments.toSorted((a, b) => a.path.length - b.path.length), problems }
}

/** An alias first, so that the full name overrides it. */
function byWeight(a: string, b: string): number {
  return Number(isAlias(b)) - Number(isAlias(a)) || (a < b ? -1 : 1)
}

function isAlias(variable: string): boolean {
  return Object.hasOwn(ALIASES, variable.replace(/_FILE$/, ''))
}

function namedBy(root: SchemaNode, variable: string): (Target & { isFile: boolean }) | undefined {
  const direct = targetOf(root, variable)
  if (direct !== undefined) return { ...direct, isFile: false }
  if (!variable.endsWith(FILE_SUFFIX)) return undefined
  const target = targetOf(root, variable.slice(0, -FILE_SUFFIX.length))
  return target === undefined ? undefined : { ...target, isFile: true }
}

/** Problems do not name the path: who mixes the two variables up has put the secret itself there. */
function readValue(env: Environment, variable: string): { text: string } | { problem: string } {
  const plain = variable.slice(0, -FILE_SUFFIX.length)
  if (env[plain]) return { problem: `${plain} is set too, allowed one of the two` }
  try {
    return { text: readFileSync(env[variable] ?? '', 'utf8').replace(/\r?\n$/, '') }
  } catch (error) {
    return { problem: `found a file that cannot be read (${(error as NodeJS.ErrnoException).code})` }
  }
}

/** What does not fit the type stays text, for the validation to explain. */
function coerced(node: SchemaNode, text: string): unknown {
  switch (node.type) {
    case 'integer':
      return /^[+-]?\d+$/.test(text) ? Number(text) : text
    case 'boolean':
      return BOOLEANS.get(text.toLowerCase()) ?? text
    case 'array':
      return node.items?.type === 'string' && !JSON_LIST.test(text) ? commaList(text) : json(text)
    case 'object':
      return json(text)
    default:
      return text
  }
}

function commaList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
