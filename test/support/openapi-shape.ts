/** The shape of an OpenAPI 3.1 document, by its specification: what each object may hold and must hold. Schemas inside are JSON Schema 2020-12. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

const text = { type: 'string' }
const flag = { type: 'boolean' }
const ref = (name: string) => ({ $ref: `#/$defs/${name}` })
const map = (of: object) => ({ type: 'object', additionalProperties: of })
const list = (of: object) => ({ type: 'array', items: of })
/** Nothing but these, and extensions. */
const fixed = (required: readonly string[], properties: Readonly<Record<string, object>>) => ({
  type: 'object',
  required,
  properties,
  patternProperties: { '^x-': {} },
  additionalProperties: false,
})

const SCHEMA = { $ref: 'https://json-schema.org/draft/2020-12/schema' }
const operation = fixed(['responses'], {
  tags: list(text),
  operationId: { ...text, pattern: '^[a-z][A-Za-z]*$' },
  summary: text,
  description: text,
  deprecated: flag,
  parameters: list(ref('parameter')),
  requestBody: fixed(['content'], { description: text, required: flag, content: ref('content') }),
  responses: { ...map(ref('response')), propertyNames: { pattern: '^([1-5][0-9]{2}|default)$' }, minProperties: 1 },
  security: ref('security'),
})
const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

const OPENAPI_SHAPE = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  ...fixed(['openapi', 'info', 'paths'], {
    openapi: { ...text, pattern: '^3\\.1\\.\\d+$' },
    info: fixed(['title', 'version'], {
      title: text,
      version: text,
      summary: text,
      description: text,
      license: fixed(['name'], { name: text, identifier: text, url: { ...text, format: 'uri' } }),
    }),
    servers: list(fixed(['url'], { url: text, description: text })),
    security: ref('security'),
    paths: {
      ...map(fixed([], Object.fromEntries(METHODS.map((method) => [method, operation])))),
      propertyNames: { pattern: '^/' },
    },
    components: fixed([], {
      schemas: { ...map(SCHEMA), propertyNames: { pattern: '^[a-zA-Z0-9._-]+$' } },
      securitySchemes: map({
        oneOf: [
          fixed(['type', 'in', 'name'], {
            type: { const: 'apiKey' },
            in: { enum: ['query', 'header', 'cookie'] },
            name: text,
          }),
          fixed(['type', 'scheme'], { type: { const: 'http' }, scheme: text, bearerFormat: text, description: text }),
        ],
      }),
    }),
  }),
  $defs: {
    security: list(map(list(text))),
    content: { ...map(fixed(['schema'], { schema: SCHEMA, example: {} })), minProperties: 1 },
    response: fixed(['description'], {
      description: text,
      content: ref('content'),
      headers: map(fixed(['schema'], { schema: SCHEMA, description: text, required: flag })),
    }),
    parameter: {
      ...fixed(['name', 'in', 'schema'], {
        name: text,
        in: { enum: ['query', 'header', 'path', 'cookie'] },
        required: flag,
        description: text,
        schema: SCHEMA,
      }),
      // Of the path, a part is always there.
      if: { properties: { in: { const: 'path' } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ['required'], properties: { required: { const: true } } },
    },
  },
}

/** @returns every place that is not as the specification says */
export function openApiProblems(document: unknown): string[] {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  const validate = ajv.compile(OPENAPI_SHAPE)
  validate(document)
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  )
}
