/** The formats in which the commands for projects print. */
import { InvalidArgumentError, Option } from 'commander'
import { stringify } from 'yaml'
import { messageOf } from '#libs/errors'
import { keysOf, valueAtPath } from './gjson-path.ts'
import { tokensOf, valueAtPointer } from './json-pointer.ts'

/** What goes to stdout for `data`; `toText` makes what people read, where nothing else is asked for. */
export type OutputFormat = (data: unknown, toText: () => string) => string

const FORMATS: Readonly<Record<string, OutputFormat>> = {
  default: (_data, toText) => lineOf(toText()),
  table: (_data, toText) => lineOf(toText()),
  json: (data) => `${JSON.stringify(data)}\n`,
  'json-pretty': (data) => `${JSON.stringify(data, undefined, 2)}\n`,
  yaml: toYaml,
}
const NAMES = [...Object.keys(FORMATS), 'jsonpath=<path>', 'jsonpointer=<pointer>']

export function outputFormatOption(): Option {
  return new Option('--format <format>', `one of ${NAMES.join(', ')}`)
    .argParser(parseOutputFormat)
    .default(FORMATS.default, 'default')
}

/** @throws InvalidArgumentError */
export function parseOutputFormat(text: string): OutputFormat {
  const plain = Object.hasOwn(FORMATS, text) ? FORMATS[text] : undefined
  if (plain !== undefined) return plain
  const [kind, place] = cut(text)
  try {
    if (kind === 'jsonpath' && place) return pathFormat(place)
    if (kind === 'jsonpointer' && place !== undefined) return pointerFormat(place)
  } catch (error) {
    throw new InvalidArgumentError(`${messageOf(error)}.`)
  }
  throw new InvalidArgumentError(`Allowed are ${NAMES.join(', ')}.`)
}

/** Every text on a line of its own, however long; quoted where a reader of YAML 1.1 would see a number, a date or a boolean. */
export function toYaml(data: unknown): string {
  return stringify(data, { lineWidth: 0, compat: 'yaml-1.1', aliasDuplicateObjects: false })
}

function pathFormat(path: string): OutputFormat {
  keysOf(path)
  return (data) => {
    const found = valueAtPath(data, path)
    if (found === undefined) tellMissing(path)
    return `${JSON.stringify(found ?? null)}\n`
  }
}

/** A script that goes on with null has to be able to tell it from one that is there. */
function tellMissing(path: string): void {
  console.error(`nothing at ${path}`)
  process.exitCode = 1
}

function pointerFormat(pointer: string): OutputFormat {
  tokensOf(pointer)
  return (data) => `${JSON.stringify(valueAtPointer(data, pointer))}\n`
}

function cut(text: string): [string, string | undefined] {
  const end = text.indexOf('=')
  return end < 0 ? [text, undefined] : [text.slice(0, end), text.slice(end + 1)]
}

function lineOf(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}
