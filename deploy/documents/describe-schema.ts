import type { Schema } from './openapi-document.ts'

/** A schema in one line of Markdown, named ones as links: `list of [message](#message)`. */
export function describeSchema(schema: Schema): string {
  const { $ref, enum: choices, const: only, items, oneOf, anyOf, allOf } = schema
  if ($ref !== undefined) return linkTo($ref)
  if (choices !== undefined) return choices.map((choice) => code(choice)).join(', ')
  if (only !== undefined) return code(only)
  const all = allOf?.map(describeSchema).join(' with ')
  if (all !== undefined) return all
  const several = (oneOf ?? anyOf)?.map(describeSchema)
  // Beside fields of its own the alternatives only say which of them go together.
  if (several !== undefined && schema.properties === undefined) return several.join(' or ')
  const types = [schema.type ?? (schema.properties === undefined ? 'anything' : 'object')].flat()
  return types.map((type) => describeType(type, schema)).join(' or ') + boundsOf(schema, items)
}

/** Names of the fields of an object that has no name of its own, `?` where one may be missing. */
function describeType(type: string, { items, prefixItems, properties, required = [], format }: Schema): string {
  if (type === 'null') return 'null'
  if (type === 'array' && items !== undefined) return `list of ${describeSchema(items)}`
  if (type === 'array' && prefixItems !== undefined) return `[${prefixItems.map(describeSchema).join(', ')}]`
  if (type === 'object' && properties !== undefined) {
    const fields = Object.entries(properties).map(([name, field]) => {
      const isSimple = field.type !== undefined && field.properties === undefined && field.items === undefined
      const told = isSimple && field.type === 'string' && field.format === undefined ? '' : ` ${describeSchema(field)}`
      return `\`${name}\`${required.includes(name) ? '' : '?'}${told}`
    })
    return `{ ${fields.join(', ')} }`
  }
  return format === undefined ? type : format
}

function boundsOf({ minimum, maximum, minLength, maxLength, maxItems }: Schema, items: Schema | undefined): string {
  const bounds = [
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
    ...(minLength === undefined ? [] : [`at least ${minLength} characters`]),
    ...(maxLength === undefined ? [] : [`at most ${maxLength} characters`]),
    ...(items === undefined || maxItems === undefined ? [] : [`at most ${maxItems}`]),
  ]
  return bounds.length === 0 ? '' : `, ${bounds.join(', ')}`
}

function linkTo(ref: string): string {
  const name = ref.slice(ref.lastIndexOf('/') + 1)
  return `[${name}](#${name.toLowerCase()})`
}

function code(value: unknown): string {
  return `\`${String(value)}\``
}
