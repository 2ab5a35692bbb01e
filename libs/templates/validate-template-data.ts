/** Checks the data of a message against the model of its type, at the door and again before rendering. */
import type { ChannelId } from '#libs/messages'
import { type FieldShape, fieldsOf, fieldValue, type TemplateField } from './template-types.ts'

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

const EXPECTED: Record<FieldShape, string> = {
  text: 'a text',
  integer: 'a whole number of 0 or more',
  time: 'an RFC 3339 time such as 2030-01-31T12:00:00Z',
  map: 'an object',
}

/**
 * One sentence per problem, naming the field and the shape expected, never a value; empty when the data are right.
 * Fields that the model does not have are let through: templates cannot see them.
 * @throws TEMPLATE_UNKNOWN
 */
export function validateTemplateData(
  templateType: string,
  data: Readonly<Record<string, unknown>>,
  channel: ChannelId = 'email',
): string[] {
  return fieldsOf(templateType, channel).flatMap((field) => problemOf(field, fieldValue(field, data)) ?? [])
}

function problemOf(field: TemplateField, value: unknown): string | undefined {
  const expected = `expected ${field.required && field.shape === 'text' ? 'a text that is not empty' : EXPECTED[field.shape]}`
  if (value === undefined) return field.required ? `${field.json}: is missing, ${expected}` : undefined
  if (!hasShape(field.shape, value)) return `${field.json}: ${expected}, found ${foundIn(field.shape, value)}`
  return field.required && value === '' ? `${field.json}: ${expected}, found an empty one` : undefined
}

function hasShape(shape: FieldShape, value: unknown): boolean {
  switch (shape) {
    case 'text':
      return typeof value === 'string'
    case 'integer':
      return Number.isSafeInteger(value) && (value as number) >= 0
    case 'time':
      return typeof value === 'string' && RFC_3339.test(value) && !Number.isNaN(Date.parse(value))
    case 'map':
      return typeof value === 'object' && !Array.isArray(value)
  }
}

/** Where the JSON type is right and the value is not, "another" says so. */
function foundIn(shape: FieldShape, value: unknown): string {
  if (shape === 'integer' && typeof value === 'number') return 'another number'
  if (shape === 'time' && typeof value === 'string') return 'another text'
  return shapeOf(value)
}

function shapeOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  switch (typeof value) {
    case 'string':
      return 'a text'
    case 'number':
      return 'a number'
    case 'boolean':
      return 'true or false'
    default:
      return 'an object'
  }
}
