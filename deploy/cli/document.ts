/** A configuration as the user wrote it: a mapping, read from YAML or JSON. */
export type Mapping = Readonly<Record<string, unknown>>

export interface Source {
  /** As messages name it. */
  readonly name: string
  readonly text: string
}

export function isRecord(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `later` on top of `earlier`: mappings merge, lists are appended, else the later value holds. */
export function merged(earlier: unknown, later: unknown): unknown {
  if (Array.isArray(earlier) && Array.isArray(later)) return [...earlier, ...later]
  if (!isRecord(earlier) || !isRecord(later)) return later
  const entries = Object.entries(later).map(
    ([key, value]) => [key, Object.hasOwn(earlier, key) ? merged(earlier[key], value) : value] as const,
  )
  return { ...earlier, ...Object.fromEntries(entries) }
}

/** The same value with the keys of every mapping in order. */
export function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isRecord(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])] as const),
  )
}
