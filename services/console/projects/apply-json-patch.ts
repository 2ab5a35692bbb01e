/** JSON Patch (RFC 6902) on a document: all of it or nothing. */
import { applyPatch, type Operation, Pointer } from 'rfc6902'
import { CodedError } from '#libs/errors'

const MOST_OPERATIONS = 1_000
/** Copies of copies double a document at each step. */
const MOST_CHARACTERS = 4 * 1024 * 1024
const OPERATIONS: readonly string[] = ['add', 'remove', 'replace', 'move', 'copy', 'test']
const POINTER = /^(\/([^~/]|~[01])*)*$/

/** @throws REQUEST_INVALID naming the operation by its index from 0 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new CodedError('REQUEST_INVALID', 'body: expected a list of JSON Patch operations')
  if (patch.length > MOST_OPERATIONS)
    throw new CodedError('REQUEST_INVALID', `body: found ${patch.length} operations, allowed ${MOST_OPERATIONS}`)
  // Counted by what is copied: the whole document, written out at each of many copies, would take seconds.
  let room = MOST_CHARACTERS - JSON.stringify(document).length
  return patch.reduce<unknown>((patched, operation, index) => {
    const tell = (problem: string) => new CodedError('REQUEST_INVALID', `body[${index}]: ${problem}`)
    const read = readOperation(operation, tell)
    if (read.op === 'copy') room -= lengthAt(patched, read.from)
    if (room < 0) throw tell('the document becomes too large')
    return applyOne(patched, read, tell)
  }, structuredClone(document))
}

/** 0 where nothing is. */
function lengthAt(document: unknown, pointer: string): number {
  return leads({ document }, pointer, false) ? JSON.stringify(Pointer.fromJSON(pointer).get(document)).length : 0
}

type Tell = (problem: string) => CodedError

function readOperation(value: unknown, tell: Tell): Operation {
  if (typeof value !== 'object' || value === null) throw tell('expected an object with op and path')
  const { op, path, from } = value as Record<string, unknown>
  if (typeof op !== 'string' || !OPERATIONS.includes(op)) throw tell(`op: expected ${OPERATIONS.join(', ')}`)
  if (!isPointer(path)) throw tell('path: expected a JSON Pointer such as /courier/smtp/from_name')
  if ((op === 'move' || op === 'copy') && !isPointer(from)) throw tell('from: expected a JSON Pointer')
  if (['add', 'replace', 'test'].includes(op) && !Object.hasOwn(value, 'value')) throw tell('value: is missing')
  return value as Operation
}

function isPointer(value: unknown): value is string {
  return typeof value === 'string' && POINTER.test(value)
}

function applyOne(document: unknown, operation: Operation, tell: Tell): unknown {
  const { op, path } = operation
  const root = { document }
  const isNew = op === 'add' || op === 'copy' || op === 'move'
  if (!leads(root, path, isNew)) throw tell(`path: ${path} is not there`)
  if ((operation.op === 'move' || operation.op === 'copy') && !leads(root, operation.from, false))
    throw tell(`from: ${operation.from} is not there`)
  if (op === 'remove' && path === '') throw tell('path: the whole document cannot be removed')
  // Below a key of its own the document itself can be replaced like anything else.
  const [failure] = applyPatch(root, [below(operation)])
  if (failure) throw tell(failureOf(operation))
  return root.document
}

function failureOf({ op, path }: Operation): string {
  return op === 'test' ? `test: another value stands at ${path}` : `${op}: not possible at ${path}`
}

function below(operation: Operation): Operation {
  const path = `/document${operation.path}`
  if (operation.op !== 'move' && operation.op !== 'copy') return { ...operation, path }
  return { ...operation, path, from: `/document${operation.from}` }
}

/** Whether `pointer` leads through keys of the document's own, and no inherited ones; `isNew` where its last part may be missing. */
function leads({ document }: { readonly document: unknown }, pointer: string, isNew: boolean): boolean {
  const parts = pointer.split('/').slice(1)
  let value = document
  for (const [index, part] of parts.entries()) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof value !== 'object' || value === null || key === '__proto__') return false
    const isThere = Array.isArray(value) ? isItem(value, key) : Object.hasOwn(value, key)
    if (!isThere) return isNew && index === parts.length - 1 && (!Array.isArray(value) || isPlace(value, key))
    value = (value as Record<string, unknown>)[key]
  }
  return true
}

function isItem(list: readonly unknown[], key: string): boolean {
  return /^(0|[1-9]\d*)$/.test(key) && Number(key) < list.length
}

function isPlace(list: readonly unknown[], key: string): boolean {
  return key === '-' || key === String(list.length)
}
