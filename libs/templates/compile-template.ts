/** Turns a template into a function that only joins strings, with the very bytes that Go prints. */
import { CodedError } from '#libs/errors'
import { chooseEscapers } from './choose-escapers.ts'
import { ESCAPERS, type EscaperName } from './escapers.ts'
import { parseTemplate, type TemplateNode } from './parse-template.ts'
import { isTruthy, printValue } from './print-value.ts'
import { DEFAULT_EXPIRES_IN_MINUTES, fieldValue, type TemplateField } from './template-types.ts'

type Data = Readonly<Record<string, unknown>>
type Read = (data: Data) => unknown
type Print = (value: unknown) => string

/** @throws TEMPLATE_DATA_INVALID where a path leads into a value that has no fields. */
export type CompiledTemplate = (data: Data) => string

/** The escapers of every printed value, in the order of the document. A list made by Go itself may stand in. */
export type ChooseEscapers = (nodes: readonly TemplateNode[]) => readonly (readonly EscaperName[])[]

/** For subjects, plain text and SMS, as Go's text/template: nothing is escaped. @throws Error outside the language */
export function compileText(source: string, fields: readonly TemplateField[]): CompiledTemplate {
  const print: Print = (value) => (isMissing(value) ? '<no value>' : printValue(value))
  return compileNodes(parseTemplate(source), fields, () => print)
}

/** As Go's html/template: every value is escaped for its place. @throws Error outside the language */
export function compileHtml(
  source: string,
  fields: readonly TemplateField[],
  choose: ChooseEscapers = chooseEscapers,
): CompiledTemplate {
  const nodes = parseTemplate(source)
  const prints = choose(nodes).values().map(printEscaped)
  return compileNodes(nodes, fields, () => {
    const { value: print } = prints.next()
    if (print === undefined) throw new Error('template: fewer escapers than printed values')
    return print
  })
}

function printEscaped(names: readonly EscaperName[]): Print {
  const escapers = names.map((name) => ESCAPERS[name])
  return (value) => escapers.reduce((text, escaper) => escaper(text), isMissing(value) ? '' : printValue(value))
}

/** Asks for the `nextPrint` of each printed value in the order of the document. */
function compileNodes(
  nodes: readonly TemplateNode[],
  fields: readonly TemplateField[],
  nextPrint: () => Print,
): CompiledTemplate {
  const parts = nodes.map((node): CompiledTemplate => {
    if (node.kind === 'text') return () => node.text
    const read = compilePath(node.path, fields)
    if (node.kind === 'print') {
      const print = nextPrint()
      return (data) => print(read(data))
    }
    const then = compileNodes(node.then, fields, nextPrint)
    const otherwise = compileNodes(node.otherwise, fields, nextPrint)
    return (data) => (isTruthy(read(data)) ? then(data) : otherwise(data))
  })
  return (data) => {
    let text = ''
    for (const part of parts) text += part(data)
    return text
  }
}

function compilePath(path: readonly string[], fields: readonly TemplateField[]): Read {
  const [name, ...keys] = path
  const field = fields.find(({ go }) => go === name)
  if (field === undefined) throw new Error(`template: the model has no field ${name}`)
  if (keys.length === 0) return (data) => modelValue(field, data)
  return (data) => keys.reduce(valueAt, modelValue(field, data))
}

/** The value of a field of the Go model: zero values where the data lack it, and a bigint for Go's int. */
export function modelValue(field: TemplateField, data: Data): unknown {
  const value = fieldValue(field, data)
  switch (field.shape) {
    case 'integer':
      return BigInt(typeof value === 'number' ? value : DEFAULT_EXPIRES_IN_MINUTES)
    case 'map':
      return value ?? {}
    default:
      return value ?? ''
  }
}

/** undefined for a missing key, and for every key below it; below a null Go fails, and so does this. */
function valueAt(value: unknown, key: string): unknown {
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CodedError('TEMPLATE_DATA_INVALID', `template data: expected an object that may have ${key}`)
  }
  return Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null
}
