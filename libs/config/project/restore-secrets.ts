/**
 * Puts stored secrets back in place of masks. A secret stays with the target that it was given for: whoever may write and not read it
 * must not send it elsewhere.
 */
import type { Problem } from '../problem.ts'
import { branchOf, childOf, isRecord, type Path, type SchemaNode } from '../schema-node.ts'
import { maskSecrets } from './mask-secrets.ts'
import { isSameTarget, MASK, restoreUri } from './secret-uri.ts'

interface Place {
  readonly node: SchemaNode
  readonly path: Path
  /** Whether secrets here go where the stored ones go. */
  readonly isKept: boolean
  readonly tell: (problem: Problem) => void
}

const ANEW = 'give the secret anew'
const NONE_STORED = `found ${MASK}, which stands for a stored secret, but none is stored here; ${ANEW}`
const MOVED = `found ${MASK}, but the stored secret stays only with the scheme, host and port that it was given for; ${ANEW}`

/** @returns `given` as it is to be stored, and a problem for each mask that nothing stands behind */
export function restoreSecrets(
  root: SchemaNode,
  given: unknown,
  stored: unknown,
): { document: unknown; problems: Problem[] } {
  const problems: Problem[] = []
  const place = { node: root, path: [], isKept: true, tell: (problem: Problem) => problems.push(problem) }
  return { document: restore(place, given, stored), problems }
}

function restore(place: Place, given: unknown, stored: unknown): unknown {
  if (Array.isArray(given)) return restoreList(place, given, Array.isArray(stored) ? stored : [])
  if (isRecord(given)) return restoreObject(place, given, isRecord(stored) ? stored : {})
  const { node, path, tell } = place
  if (node.secret !== true || typeof given !== 'string' || !given.includes(MASK)) return given
  const restored = typeof stored === 'string' && stored !== '' ? restoreText(place, given, stored) : NONE_STORED
  if (typeof restored === 'object') return restored.text
  tell({ path, text: restored })
  return given
}

/** @returns the text, or what stands against it */
function restoreText({ node, isKept }: Place, given: string, stored: string): { text: string } | string {
  if (node.uri !== undefined) {
    const text = restoreUri(given, stored)
    if (text !== undefined) return { text }
    return isSameTarget(given, stored) ? NONE_STORED : MOVED
  }
  if (given !== MASK) return `found a text with ${MASK} in it; ${ANEW}`
  return isKept ? { text: stored } : MOVED
}

type Values = Readonly<Record<string, unknown>>

function restoreObject(place: Place, given: Values, stored: Values): unknown {
  const node = branchOf(place.node, given)
  const target = Object.keys(node.properties ?? {}).find((key) => node.properties?.[key]?.uri === 'target')
  const isKept = target === undefined ? place.isKept : isSameTarget(textOf(given[target]), textOf(stored[target]))
  const entries = Object.entries(given).map(([key, child]) => {
    const next = childOf(node, key)
    if (next === undefined) return [key, child]
    const last = Object.hasOwn(stored, key) ? stored[key] : undefined
    return [key, restore({ ...place, node: next, path: [...place.path, key], isKept }, child, last)]
  })
  return Object.fromEntries(entries)
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** Items are matched by `id`, and where they have none by how they are shown, never by their place. */
function restoreList(place: Place, given: readonly unknown[], stored: readonly unknown[]): unknown[] {
  const { items } = place.node
  if (items === undefined) return [...given]
  const rest = [...stored]
  return given.map((item, index) => {
    const isSame = (other: unknown): boolean =>
      isRecord(item) && items.properties?.id !== undefined
        ? isRecord(other) && other.id === item.id
        : maskSecrets(items, other) === item
    const found = rest.findIndex(isSame)
    const [match] = found < 0 ? [undefined] : rest.splice(found, 1)
    return restore({ ...place, node: items, path: [...place.path, index] }, item, match)
  })
}
