import { isDeepStrictEqual } from 'node:util'
import { withDefaults } from '../merge-config.ts'
import { branchOf, childOf, isRecord, type SchemaNode } from '../schema-node.ts'

/**
 * `value` without what the schema's defaults say anyway, so that a document which was read, changed at one place and written back
 * does not hold on to today's defaults. `withDefaults` gives the same for both.
 */
export function withoutDefaults(node: SchemaNode, value: unknown): unknown {
  const { items } = node
  if (Array.isArray(value)) return items === undefined ? value : value.map((item) => withoutDefaults(items, item))
  if (!isRecord(value)) return value
  const branch = branchOf(node, value)
  const defaults = withDefaults(branch, {})
  const entries = Object.entries(value).flatMap(([key, child]) => {
    const next = childOf(branch, key)
    if (next === undefined) return [[key, child] as const]
    const isDefault =
      isRecord(defaults) && Object.hasOwn(defaults, key) && isDeepStrictEqual(defaults[key], withDefaults(next, child))
    return isDefault ? [] : [[key, withoutDefaults(next, child)] as const]
  })
  return Object.fromEntries(entries)
}
