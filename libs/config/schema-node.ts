/** The schema as data, for everything that walks it: defaults, environment names, explanations, the reference. */

export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | SchemaNode
  readonly items?: SchemaNode
  readonly oneOf?: readonly SchemaNode[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly description?: string
  /** What may stand here, in words; for what the other keywords say only in code. */
  readonly allowed?: string
  /** Neither the value nor anything below it is ever shown. */
  readonly secret?: boolean
  /** Names in lower case, among the further ones, whose values are no secrets. A mask in their place still stands for what is stored. */
  readonly shownNames?: readonly string[]
  /** Shown, though `secret`. */
  readonly isShown?: boolean
  /** A URI: shown without its credentials. Secrets beside or below a `target` are sent there. */
  readonly uri?: 'target' | 'resource'
  /** An unknown key below it is not shown: it may be a value without its key. */
  readonly hidesKeys?: boolean
  /** The shortest duration. */
  readonly atLeast?: string
}

export type Path = readonly (string | number)[]

/** `courier.channels.0.id` */
export function keyOf(path: Path): string {
  return path.join('.')
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The ways on from `node`: itself, or each alternative. */
export function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return node.oneOf ?? [node]
}

/** `node`, or the alternative that the `type` of `value` names. */
export function branchOf(node: SchemaNode, value: Readonly<Record<string, unknown>>): SchemaNode {
  return node.oneOf?.find(({ properties }) => properties?.type?.const === value.type) ?? node
}

/**
 * What the schema says at `root` and at each step along `path`, as far as it knows the way; the last level may be a parent. A level
 * holds several nodes where alternatives are possible.
 */
export function levelsAlong(root: SchemaNode, path: Path): SchemaNode[][] {
  const levels = [[root]]
  for (const part of path) {
    const next = (levels.at(-1) ?? []).flatMap(alternatives).flatMap((node) => childOf(node, part) ?? [])
    if (next.length === 0) break
    levels.push(next)
  }
  return levels
}

/** What the schema says of the key or item `part`; undefined where it says nothing. */
export function childOf(node: SchemaNode, part: string | number): SchemaNode | undefined {
  if (typeof part === 'number' || (node.items !== undefined && /^\d+$/.test(part))) return node.items
  const { properties, additionalProperties } = node
  if (properties !== undefined && Object.hasOwn(properties, part)) return properties[part]
  if (typeof additionalProperties !== 'object') return undefined
  return node.shownNames?.includes(part.toLowerCase())
    ? { ...additionalProperties, isShown: true }
    : additionalProperties
}
