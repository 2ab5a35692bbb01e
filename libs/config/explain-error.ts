/** Says in words what the validation found. Never the value of a secret, nor anything that could be one. */
import type { ErrorObject } from 'ajv'
import { nearestKey } from './nearest-key.ts'
import type { Problem } from './problem.ts'
import { alternatives, keyOf, levelsAlong, type Path, type SchemaNode } from './schema-node.ts'

/** Keys of earlier Kratos versions, and what took their place. */
const REPLACED: Readonly<Record<string, string>> = {
  'courier.message_ttl': 'courier.message_retries and the lifespan of codes',
  'courier.sms': 'courier.channels with id: sms',
}

/** Values of earlier Kratos versions. */
const RENAMED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'courier.channels.id': { phone: 'renamed to sms in Kratos 1.1' },
}

const HIDDEN = '[redacted]'
const LONGEST_SHOWN = 60

/** @param error of a validation with `verbose` */
export function explainError(root: SchemaNode, error: ErrorObject): Problem {
  const parent = pathOf(error.instancePath)
  switch (error.keyword) {
    case 'additionalProperties':
      return unknownKey(root, parent, String(error.params.additionalProperty))
    case 'required':
      return mismatch(root, [...parent, String(error.params.missingProperty)], undefined)
    case 'discriminator':
      return mismatch(root, [...parent, String(error.params.tag)], error.params.tagValue)
    default:
      return mismatch(root, parent, error.data)
  }
}

function pathOf(pointer: string): Path {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** Tells a key that stands where only others may. */
export function unknownKey(root: SchemaNode, parent: Path, key: string): Problem {
  const nodes = levelsAlong(root, parent).at(-1) ?? [root]
  const siblings = nodes.flatMap(alternatives).flatMap(({ properties = {} }) => Object.keys(properties))
  const near = nearestKey(key, siblings)
  const replacement = REPLACED[keyOf([...parent, key])]
  const isShown = near !== undefined || !nodes.some(({ hidesKeys }) => hidesKeys)
  const hint = replacement === undefined ? hintOf(near, siblings) : `replaced by ${replacement}`
  return { path: [...parent, isShown ? key : HIDDEN], at: [...parent, key], text: `unknown key, ${hint}` }
}

function hintOf(near: string | undefined, siblings: readonly string[]): string {
  if (near !== undefined) return `did you mean ${near}?`
  return siblings.length === 0 ? 'allowed none' : `allowed ${siblings.join(', ')}`
}

function mismatch(root: SchemaNode, path: Path, value: unknown): Problem {
  const levels = levelsAlong(root, path)
  const [node = root, ...others] = levels.at(-1) ?? []
  const isSecret = levels.flat().some(({ secret }) => secret)
  const text = `found ${shapeOf(value, node, isSecret)}, allowed ${allowedBy(node, others)}`
  const renamed = RENAMED[keyOf(path.filter((part) => !/^\d+$/.test(String(part))))]?.[String(value)]
  return { path, text: renamed === undefined ? text : `${text} (${renamed})` }
}

function shapeOf(value: unknown, { type }: SchemaNode, isSecret: boolean): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object') return 'an object'
  if (isSecret) return HIDDEN
  // Where a part of the file should stand, a line that is written wrong becomes one text with all that it holds.
  if (type === 'object' || type === 'array') return `a ${typeof value}`
  return shown(JSON.stringify(value))
}

function shown(text: string): string {
  const safe = text.replace(/\/\/\S*@/g, `//${HIDDEN}@`)
  return safe.length > LONGEST_SHOWN ? `${safe.slice(0, LONGEST_SHOWN)}…` : safe
}

function allowedBy(node: SchemaNode, others: readonly SchemaNode[]): string {
  const { allowed, atLeast } = node
  if (node.const !== undefined) return [node, ...others].map((each) => each.const).join(' or ')
  if (allowed !== undefined) return atLeast === undefined ? allowed : `${allowed}, ${atLeast} or more`
  if (node.enum !== undefined) return node.enum.join(', ')
  return TYPES[node.type ?? 'object'](node)
}

const TYPES: Readonly<Record<NonNullable<SchemaNode['type']>, (node: SchemaNode) => string>> = {
  object: () => 'an object',
  array: () => 'a list',
  string: () => 'text',
  boolean: () => 'true or false',
  integer: ({ minimum, maximum }) => {
    if (minimum === undefined) return 'an integer'
    return maximum === undefined ? `an integer of ${minimum} or more` : `an integer from ${minimum} to ${maximum}`
  },
}
