/**
 * Finds a value by a path such as `courier.channels.#.id`: keys and indexes between dots, `\.` for a dot within a key, `#` for the
 * length of a list, `#.rest` for what `rest` finds in each of its elements.
 */
import { isRecord } from './document.ts'

const UNSUPPORTED = /[*?|@!{}[\]()]/

/** @returns undefined where there is nothing. @throws at syntax that is not supported */
export function valueAtPath(data: unknown, path: string): unknown {
  return follow(data, keysOf(path))
}

/** Splits a path. @throws at what gjson knows and this does not, rather than finding nothing there */
export function keysOf(path: string): string[] {
  const keys: string[] = []
  let key = ''
  for (const [part] of path.matchAll(/\\[\s\S]|[\s\S]/g)) {
    if (UNSUPPORTED.test(part) && part.length === 1)
      throw new Error(`${part} is not supported in a path; allowed are keys, indexes, # and \\ before a character`)
    if (part === '.') {
      keys.push(key)
      key = ''
    } else key += part.length === 2 ? part.slice(1) : part
  }
  return [...keys, key]
}

function follow(value: unknown, keys: readonly string[]): unknown {
  const [key, ...rest] = keys
  if (key === undefined) return value
  if (Array.isArray(value)) return key === '#' ? ofEach(value, rest) : follow(elementAt(value, key), rest)
  return isRecord(value) && Object.hasOwn(value, key) ? follow(value[key], rest) : undefined
}

function ofEach(list: readonly unknown[], rest: readonly string[]): unknown {
  if (rest.length === 0) return list.length
  return list.map((item) => follow(item, rest)).filter((found) => found !== undefined)
}

function elementAt(list: readonly unknown[], key: string): unknown {
  return /^\d+$/.test(key) ? list[Number(key)] : undefined
}
