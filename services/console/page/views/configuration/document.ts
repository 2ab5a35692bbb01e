/** An identity config as the API shows it, read and changed by dotted keys such as `courier.smtp.from_name`. */
export type Doc = Readonly<Record<string, unknown>>

/** What the API shows in place of a secret, and what keeps it when it comes back. */
export const MASK = '********'

export function valueAt(document: unknown, at: string): unknown {
  let value = document
  for (const key of at.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Doc)[key]
  }
  return value
}

export function textAt(document: unknown, at: string): string {
  const value = valueAt(document, at)
  return value === undefined || value === null ? '' : String(value)
}

/** @param value undefined takes the key away, so that the default applies */
export function withValue(document: Doc, at: string, value: unknown): Doc {
  return put(document, at.split('.'), value) as Doc
}

export function put(into: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value
  if (Array.isArray(into)) return into.map((item, index) => (String(index) === key ? put(item, rest, value) : item))
  const { [key]: child, ...others } = isObject(into) ? into : {}
  const next = put(child, rest, value)
  // Spread before, so that a key keeps its place.
  return next === undefined ? others : { ...(isObject(into) ? into : {}), [key]: next }
}

export function isObject(value: unknown): value is Doc {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
