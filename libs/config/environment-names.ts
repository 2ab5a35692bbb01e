/** The environment name of a key: its path in upper case with `_`; list items by number, such as COURIER_CHANNELS_0_ID. */
import { alternatives, type Path, type SchemaNode } from './schema-node.ts'

export interface Target {
  readonly path: Path
  readonly node: SchemaNode
}

/** Further names, in use everywhere for these two. The longer name wins over them. */
export const ALIASES: Readonly<Record<string, string>> = {
  DATABASE_URL: 'POSTRIDER_DATABASE_URL',
  KAFKA_BROKERS: 'POSTRIDER_KAFKA_BROKERS',
}

/** @param path with `<n>` for the number of a list item, where it stands for all */
export function environmentName(path: Path): string {
  return path
    .map((part) => String(part).replaceAll('-', '_'))
    .join('_')
    .toUpperCase()
}

/**
 * The key that a variable sets. Matched against the paths of the schema, since keys hold underscores themselves: another variable with
 * the same beginning is no key.
 */
export function targetOf(root: SchemaNode, variable: string): Target | undefined {
  const target = find({ path: [], node: root }, Object.hasOwn(ALIASES, variable) ? (ALIASES[variable] ?? '') : variable)
  // The top objects as one JSON value would take variables as common as COURIER or SECRETS.
  return target?.path.length === 1 && target.node.type === 'object' ? undefined : target
}

function find(from: Target, rest: string): Target | undefined {
  for (const { target, name } of stepsFrom(from, rest)) {
    if (rest === name) return target
    const found = rest.startsWith(`${name}_`) ? find(target, rest.slice(name.length + 1)) : undefined
    if (found !== undefined) return found
  }
  return undefined
}

function stepsFrom({ path, node }: Target, rest: string): { target: Target; name: string }[] {
  return alternatives(node).flatMap(({ properties = {}, items }) => {
    const keys = Object.entries(properties).map(([key, child]) => ({
      target: { path: [...path, key], node: child },
      name: environmentName([key]),
    }))
    const index = items === undefined ? undefined : /^\d{1,2}(?=_|$)/.exec(rest)?.[0]
    if (items === undefined || index === undefined) return keys
    return [{ target: { path: [...path, Number(index)], node: items }, name: index }]
  })
}
