/** An OpenAPI document as one page of Markdown: a section per operation, then one per named schema. */
import { describeSchema } from './describe-schema.ts'
import { MADE, table } from './markdown.ts'
import type { Answer, Content, Document, Operation, Schema } from './openapi-document.ts'

export interface ApiReferenceOptions {
  readonly title: string
  /** Markdown before the first operation. */
  readonly about: string
  readonly accessOf: (method: string, path: string, operation: Operation) => string
}

export function apiReference({ paths, components }: Document, { title, about, accessOf }: ApiReferenceOptions): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  const overview = operations.map(({ path, method, operation }) => [
    `[\`${method} ${path}\`](#${anchorOf(`${method} ${path}`)})`,
    accessOf(method, path, operation),
    operation.summary ?? wordsOf(operation.operationId),
  ])
  const described = operations.map(({ path, method, operation }) =>
    describeOperation(`${method} ${path}`, accessOf(method, path, operation), operation),
  )
  const schemas = Object.entries(components.schemas).map(([name, schema]) => describeNamed(name, schema))
  return `${[
    `# ${title}`,
    MADE,
    about,
    'Errors have one shape: [error](#error). The document itself is at `/openapi.json`.',
    table(['operation', 'access', 'does'], overview),
    ...described,
    '## Schemas',
    ...schemas,
  ].join('\n\n')}\n`
}

function describeOperation(heading: string, access: string, operation: Operation): string {
  const { summary, description, parameters = [], requestBody, responses } = operation
  const rows = parameters.map(({ name, in: place, required, schema, description: meaning = '' }) => {
    const fallback = schema.default === undefined ? '' : `\`${schema.default}\``
    return [`\`${name}\``, `${place}${required ? ', required' : ''}`, describeSchema(schema), fallback, meaning]
  })
  return [
    `## \`${heading}\``,
    `${summary ?? wordsOf(operation.operationId)}.`,
    ...(description === undefined ? [] : [description]),
    `Access: ${access}.`,
    ...(rows.length === 0 ? [] : [table(['parameter', 'in', 'type', 'default', 'meaning'], rows)]),
    ...(requestBody === undefined ? [] : [`Body: ${describeContent(requestBody.content)}.`]),
    table(['answer', 'meaning', 'body'], Object.entries(responses).map(describeAnswer)),
  ].join('\n\n')
}

function describeAnswer([status, { description, content, headers = {} }]: [string, Answer]): string[] {
  const names = Object.keys(headers).map((name) => `\`${name}\``)
  const sent = names.length === 0 ? '' : `; header ${names.join(', ')}`
  return [status, `${description}${sent}`, content === undefined ? '' : describeContent(content)]
}

function describeContent(content: Content): string {
  const same = Map.groupBy(Object.entries(content), ([, { schema }]) => describeSchema(schema))
  return [...same]
    .map(([schema, types]) => {
      const names = types.map(([type]) => type)
      return names.length === 1 && names[0] === 'application/json' ? schema : `${schema} as ${names.join(', ')}`
    })
    .join('; ')
}

function describeNamed(name: string, schema: Schema): string {
  const { properties, required = [], description } = schema
  const about = description === undefined ? [] : [`${description}.`]
  if (properties === undefined) return [`### ${name}`, ...about, describeSchema(schema)].join('\n\n')
  const rows = Object.entries(properties).map(([field, of]) => {
    const fallback = of.default === undefined ? '' : ` Default \`${of.default}\`.`
    const meaning = `${of.description === undefined ? '' : `${of.description}.`}${fallback}`
    return [`\`${field}\``, describeSchema(of), required.includes(field) ? 'yes' : '', meaning.trim()]
  })
  return [`### ${name}`, ...about, table(['field', 'type', 'always', 'meaning'], rows)].join('\n\n')
}

/** `completeLogin` as `Complete login`. */
function wordsOf(operationId = ''): string {
  const words = operationId.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** As GitHub makes it of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
}
