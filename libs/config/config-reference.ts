import { ALIASES, environmentName } from './environment-names.ts'
import { CONFIG_SCHEMA } from './schema.ts'
import { alternatives, type SchemaNode } from './schema-node.ts'

const HEAD = ['| key | type | default | environment | meaning |', '| --- | --- | --- | --- | --- |']

/** Every key with a value as a Markdown table, in the order of the schema. */
export function configReference(): string {
  const rows = [...Map.groupBy(leaves(CONFIG_SCHEMA, []), ({ path }) => keyOf(path)).values()].map((same) => {
    const { path, node } = same[0]!
    const types = same.map((leaf) => typeOf(leaf.node)).join(', ')
    const cells = [`\`${keyOf(path)}\``, types, defaultOf(node), variablesOf(path), node.description ?? '']
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  })
  return `${[...HEAD, ...rows].join('\n')}\n`
}

interface Leaf {
  readonly path: readonly string[]
  readonly node: SchemaNode
}

const ITEM = '<n>'

function leaves(node: SchemaNode, path: readonly string[]): Leaf[] {
  if (node.items?.properties !== undefined) return [{ path, node }, ...leaves(node.items, [...path, ITEM])]
  const children = alternatives(node).flatMap(({ properties = {} }) => Object.entries(properties))
  const below = children.flatMap(([key, child]) => leaves(child, [...path, key]))
  return typeof node.additionalProperties === 'object' || below.length === 0 ? [{ path, node }, ...below] : below
}

function keyOf(path: readonly string[]): string {
  return path.join('.').replaceAll(`.${ITEM}`, '[]')
}

function typeOf({ type, items, enum: choices, const: only, additionalProperties }: SchemaNode): string {
  if (choices !== undefined) return choices.join(', ')
  if (only !== undefined) return String(only)
  if (items !== undefined) return `list of ${items.type}`
  return typeof additionalProperties === 'object' ? 'object of string' : (type ?? '')
}

function defaultOf({ default: value }: SchemaNode): string {
  return value === undefined || value === '' ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``
}

function variablesOf(path: readonly string[]): string {
  const name = environmentName(path.map((part) => (part === ITEM ? '0' : part)))
  const aliases = Object.keys(ALIASES).filter((alias) => ALIASES[alias] === name)
  return [...aliases, name].map((variable) => `\`${variable}\``).join(', ')
}
