/** What differs between two documents, and how that is put on top of a third. Lists are compared as a whole. */
import { type Doc, isObject, put } from './document.ts'

export interface Change {
  readonly path: string
  readonly keys: readonly string[]
  /** Absent where nothing stood. */
  readonly before?: unknown
  readonly after?: unknown
}

export function changesBetween(before: Doc, after: Doc): Change[] {
  const [was, is] = [leaves(before), leaves(after)]
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((path) => JSON.stringify(was.get(path)?.value) !== JSON.stringify(is.get(path)?.value))
    .sort()
    .map((path) => ({
      path,
      keys: (is.get(path) ?? was.get(path))!.keys,
      ...(was.has(path) && { before: was.get(path)!.value }),
      ...(is.has(path) && { after: is.get(path)!.value }),
    }))
}

export function withChanges(document: Doc, changes: readonly Change[]): Doc {
  return changes.reduce<Doc>((changed, { keys, after }) => put(changed, keys, after) as Doc, document)
}

interface Leaf {
  readonly keys: readonly string[]
  readonly value: unknown
}

function leaves(value: unknown, keys: readonly string[] = [], found = new Map<string, Leaf>()): Map<string, Leaf> {
  // An empty object says the same as none.
  if (isObject(value)) for (const [key, child] of Object.entries(value)) leaves(child, [...keys, key], found)
  else if (value !== undefined) found.set(keys.join('.'), { keys, value })
  return found
}
