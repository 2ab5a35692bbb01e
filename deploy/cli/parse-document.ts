import { LineCounter, parseDocument } from 'yaml'
import { isRecord, type Mapping, type Source } from './document.ts'

/** Keys that only make sense below `courier`. */
const COURIER_KEYS = ['delivery_strategy', 'request_config', 'smtp', 'http', 'channels', 'templates']

/** Reads a configuration. @throws with the place; never repeats the text, which may hold secrets */
export function parseConfiguration(source: Source): Mapping {
  const { name } = source
  const value = parseText(source)
  if (value === null || value === undefined)
    throw new Error(`${name}: is empty; to remove the whole configuration give {}`)
  if (!isRecord(value))
    throw new Error(`${name}: found ${shapeOf(value)}, expected a mapping with keys such as courier and selfservice`)
  const stray = value.courier === null ? COURIER_KEYS.find((key) => Object.hasOwn(value, key)) : undefined
  if (stray !== undefined)
    throw new Error(`${name}: ${stray} stands beside courier, not below it: indent the lines, as YAML asks for`)
  return value
}

/** Reads YAML 1.2 or JSON. @throws with the place; never repeats the text */
export function parseText({ name, text }: Source): unknown {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false, logLevel: 'error' })
  const mistakes = document.errors.map(({ code, pos }) => {
    const { line, col } = lines.linePos(pos[0])
    return `${name}:${line}:${col} not valid YAML or JSON: ${code.toLowerCase().replaceAll('_', ' ')}`
  })
  if (mistakes.length > 0) throw new Error(mistakes.join('\n'))
  try {
    return document.toJS()
  } catch {
    // The thrown text may name an anchor or repeat a part of the document.
    throw new Error(`${name}: found an alias without anchor or too many aliases`)
  }
}

export function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (isRecord(value)) return 'a mapping'
  return value === null ? 'null' : typeof value === 'string' ? 'a text' : `a ${typeof value}`
}
