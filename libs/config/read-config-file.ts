import { readFileSync } from 'node:fs'
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { CodedError } from '#libs/errors'
import type { Path } from './schema-node.ts'

export interface Place {
  readonly line: number
  readonly column: number
}

export interface ConfigFile {
  /** As it was given. */
  readonly name: string
  readonly value: unknown
  /** Where the key at the end of `path` stands, or the nearest parent that stands there; `isExact` tells which. */
  readonly placeOf: (path: Path) => Place & { readonly isExact: boolean }
}

/** The files of a list with commas between, as in POSTRIDER_CONFIG. */
export function configFileNames(list: string): string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** Reads YAML or JSON. @throws CONFIG_INVALID where it cannot be read; never repeats its text, which may hold secrets. */
export function readConfigFile(name: string): ConfigFile {
  const lines = new LineCounter()
  const document = parseDocument(readText(name), {
    lineCounter: lines,
    merge: true,
    prettyErrors: false, // pretty ones quote the line
    logLevel: 'error',
  })
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset)
    return { line, column: col }
  }
  if (document.errors.length > 0) {
    const mistakes = document.errors.map(({ code, pos }) => {
      const { line, column } = place(pos[0])
      return `${name}:${line}:${column} not valid YAML: ${code.toLowerCase().replaceAll('_', ' ')}`
    })
    throw new CodedError('CONFIG_INVALID', mistakes.join('\n'))
  }
  return {
    name,
    value: contentOf(document, name),
    placeOf: (path) => {
      const { offset, isExact } = findNode(document, path)
      return { ...place(offset), isExact }
    },
  }
}

function readText(name: string): string {
  if (name.endsWith('.toml')) {
    throw new CodedError('CONFIG_INVALID', `${name}: found TOML, allowed YAML or JSON; convert the file`)
  }
  try {
    return readFileSync(name, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code})`
    throw new CodedError('CONFIG_INVALID', `${name}: ${reason}`, { cause })
  }
}

function contentOf(document: Document, name: string): unknown {
  try {
    return document.toJS() ?? {}
  } catch {
    // The thrown text may name an anchor or repeat a part of the file.
    throw new CodedError('CONFIG_INVALID', `${name}: found an alias without anchor or too many aliases`)
  }
}

function findNode(document: Document, path: Path): { offset: number; isExact: boolean } {
  let node = follow(document, document.contents as Node | null)
  let offset = node?.range?.[0] ?? 0
  for (const part of path) {
    const next = step(node, part)
    if (next === undefined) return { offset, isExact: false }
    offset = next.offset
    node = follow(document, next.node)
  }
  return { offset, isExact: true }
}

function step(node: Node | null, part: string | number): { offset: number; node: Node | null } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
    if (pair === undefined || !isScalar(pair.key)) return undefined
    return { offset: pair.key.range?.[0] ?? 0, node: pair.value as Node | null }
  }
  const item = isSeq(node) ? (node.items[Number(part)] as Node | undefined) : undefined
  return item === undefined ? undefined : { offset: item.range?.[0] ?? 0, node: item }
}

function follow(document: Document, node: Node | null): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node
}
