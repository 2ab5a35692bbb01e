/** Puts a configuration together: what the file says, what variables say, and the defaults of the schema for the rest. */
import { branchOf, isRecord, type Path, type SchemaNode } from './schema-node.ts'

/**
 * The part of a file's value that the schema speaks of. A key without a value counts as absent. Keys that stand where others may stand
 * beside ours are left out and told to `onIgnored`; unknown keys elsewhere stay, for the validation to refuse.
 */
export function knownPart(
  node: SchemaNode,
  value: unknown,
  onIgnored: (path: Path, siblings: readonly string[]) => void,
  path: Path = [],
): unknown {
  const { items, properties, additionalProperties } = node
  if (Array.isArray(value) && items !== undefined) {
    return value.map((item, index) => knownPart(items, item, onIgnored, [...path, index]))
  }
  if (!isRecord(value) || properties === undefined) return value
  const entries = Object.entries(value).flatMap(([key, child]) => {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined
    if (known !== undefined && child === null) return []
    if (known !== undefined) return [[key, knownPart(known, child, onIgnored, [...path, key])] as const]
    if (additionalProperties !== true) return [[key, child] as const]
    onIgnored([...path, key], Object.keys(properties))
    return []
  })
  return Object.fromEntries(entries)
}

/** `target` with `value` at `path`; objects merge, lists and texts replace. A part of the wrong shape stays, to be refused later. */
export function withValue(target: unknown, path: Path, value: unknown): unknown {
  const [head, ...rest] = path
  if (head === undefined) return merged(target, value)
  if (typeof head === 'number') {
    if (target !== undefined && !Array.isArray(target)) return target
    const list: unknown[] = [...(target ?? [])]
    list[head] = withValue(list[head], rest, value)
    return Array.from(list)
  }
  if (target !== undefined && !isRecord(target)) return target
  return { ...target, [head]: withValue(target?.[head], rest, value) }
}

function merged(target: unknown, value: unknown): unknown {
  if (!isRecord(target) || !isRecord(value)) return value
  const entries = Object.entries(value).map(([key, child]) => [key, merged(target[key], child)] as const)
  return { ...target, ...Object.fromEntries(entries) }
}

/** Fills what is missing, inside lists too. What has no default stays absent. */
export function withDefaults(node: SchemaNode, value: unknown): unknown {
  if (value === undefined) return structuredClone(node.default)
  const { items } = node
  if (Array.isArray(value)) return items === undefined ? value : value.map((item) => withDefaults(items, item))
  if (!isRecord(value)) return value
  const branch = branchOf(node, value)
  const filled = Object.entries(branch.properties ?? {}).map(([key, child]) => {
    const isNeeded = child.type === 'object' && child.properties !== undefined && branch.required?.includes(key)
    return [key, withDefaults(child, value[key] ?? (isNeeded ? (child.default ?? {}) : undefined))] as const
  })
  return { ...value, ...Object.fromEntries(filled.filter(([, child]) => child !== undefined)) }
}

/** The value at a key such as `postrider.kafka.brokers`; undefined where there is none. */
export function valueAt(value: unknown, key: string): unknown {
  return key.split('.').reduce<unknown>((parent, part) => (isRecord(parent) ? parent[part] : undefined), value)
}
