/** JSON Patch (RFC 6902) as the command line takes it. */
import { messageOf } from '#libs/errors'
import { isRecord, type Source } from './document.ts'
import { embedFiles } from './embed-files.ts'
import { tokensOf } from './json-pointer.ts'
import { parseText, shapeOf } from './parse-document.ts'

export interface Operation {
  readonly op: string
  readonly path: string
  readonly value?: unknown
  readonly from?: string
}

export interface PatchArguments {
  /** `/path=JSON` each. */
  readonly add?: readonly string[]
  readonly replace?: readonly string[]
  /** `/path` each. */
  readonly remove?: readonly string[]
}

const OPERATIONS = ['add', 'remove', 'replace', 'move', 'copy', 'test']

/** `error` with its operations by what the user gave, where the console counts them. @param given of each operation, in their order */
export function withOperations(error: unknown, given: readonly string[]): unknown {
  const words = messageOf(error)
  const named = words.replace(/\bbody\[(\d+)\]/, (place, index: string) => given[Number(index)] ?? place)
  return named === words ? error : new Error(named, { cause: error })
}

/** In the order add, replace, remove. @throws where an argument is none of the form; never repeats a value, which may be secret */
export function operationsOf({ add = [], replace = [], remove = [] }: PatchArguments): Operation[] {
  return [
    ...add.map((argument) => assignment('add', argument)),
    ...replace.map((argument) => assignment('replace', argument)),
    ...remove.map((path) => ({ op: 'remove', path: pointer(path) })),
  ]
}

/** Reads a list of operations from YAML or JSON. @throws with the place of what is no operation */
export function readOperations(source: Source): Operation[] {
  const value = parseText(source)
  if (!Array.isArray(value))
    throw new Error(
      `${source.name}: found ${shapeOf(value ?? null)}, expected a list of operations such as [{"op": "replace", "path": "/courier/delivery_strategy", "value": "http"}]; a whole configuration is set by update identity-config`,
    )
  return value.map((item, index) => checked(item, `${source.name}: operation ${index}`))
}

/** `file://…` in values is replaced by the file's content, as in a whole configuration. */
export async function embedInOperations(operations: readonly Operation[]): Promise<Operation[]> {
  return await Promise.all(
    operations.map(async (operation) =>
      operation.value === undefined
        ? operation
        : { ...operation, value: await embedFiles(operation.value, `value for ${operation.path}`) },
    ),
  )
}

function assignment(op: string, argument: string): Operation {
  const end = argument.indexOf('=')
  if (end < 0) throw new Error('patches must be in format of `/some/config/key=some-value`')
  const path = pointer(argument.slice(0, end))
  try {
    return { op, path, value: JSON.parse(argument.slice(end + 1)) }
  } catch {
    throw new Error(
      `value for ${path} must be valid JSON but got: something else; a text needs double quotes, as in --${op} '${path}="text"'`,
    )
  }
}

function pointer(path: string): string {
  try {
    tokensOf(path)
    return path
  } catch (error) {
    throw new Error(`${path}: ${messageOf(error)}`)
  }
}

function checked(item: unknown, place: string): Operation {
  if (!isRecord(item)) throw new Error(`${place}: found ${shapeOf(item)}, expected a mapping with op and path`)
  const { op, path, from, value } = item
  if (typeof op !== 'string' || !OPERATIONS.includes(op))
    throw new Error(`${place}: op: found ${shapeOf(op ?? null)}, allowed ${OPERATIONS.join(', ')}`)
  if (typeof path !== 'string') throw new Error(`${place}: path: expected a JSON pointer such as /courier/http`)
  if (['add', 'replace', 'test'].includes(op) && value === undefined) throw new Error(`${place}: value: is missing`)
  if (['move', 'copy'].includes(op) && typeof from !== 'string') throw new Error(`${place}: from: is missing`)
  return item as unknown as Operation
}
