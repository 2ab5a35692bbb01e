import { isDeepStrictEqual } from 'node:util'
import { isRecord, keyOf, type Path } from '../schema-node.ts'

export interface Change {
  /** With dots; items of a list by their `id`. */
  readonly path: string
  /** Absent where nothing stood. */
  readonly before?: unknown
  readonly after?: unknown
}

/** One document twice: as it is, and as it may be shown. */
export interface ShownDocument {
  readonly document: unknown
  readonly shown: unknown
}

/** What differs, key by key, in the order of the alphabet. A secret that changed is there, with the mask on both sides. */
export function changesBetween(before: ShownDocument, after: ShownDocument): Change[] {
  const [was, is] = [new Map(leaves(before.document)), new Map(leaves(after.document))]
  const [wasShown, isShown] = [new Map(leaves(before.shown)), new Map(leaves(after.shown))]
  return [...new Set([...was.keys(), ...is.keys()])]
    .filter((path) => !isDeepStrictEqual(was.get(path), is.get(path)))
    .sort()
    .map((path) => ({
      path,
      ...(was.has(path) && { before: wasShown.get(path) }),
      ...(is.has(path) && { after: isShown.get(path) }),
    }))
}

function leaves(value: unknown, path: Path = []): [path: string, value: unknown][] {
  const children = childrenOf(value)
  if (children.length === 0) return [[keyOf(path), value]]
  return children.flatMap(([key, child]) => leaves(child, [...path, key]))
}

function childrenOf(value: unknown): [key: string, child: unknown][] {
  if (isRecord(value)) return Object.entries(value)
  if (!Array.isArray(value) || !value.every(isRecord)) return []
  return value.map((item, index) => [typeof item.id === 'string' ? item.id : String(index), item])
}
