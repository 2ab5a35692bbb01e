/** The identity API as OpenAPI 3.1. */
const text = { type: 'string' }
const uuid = { type: 'string', format: 'uuid' }
const instant = { type: 'string', format: 'date-time' }
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const json = (schema: unknown) => ({ 'application/json': { schema } })
const answer = (description: string, schema: unknown) => ({ description, content: json(schema) })
const failure = (description: string) => answer(description, ref('error'))
const body = (required: readonly string[], properties: unknown) => ({
  required: true,
  content: json({ type: 'object', required, properties }),
})

const throttled = {
  ...failure('Too many requests, or too many mails to this address'),
  headers: { 'Retry-After': { schema: { type: 'integer' }, description: 'Seconds' } },
}
const flowStarted = answer('A mail with a code is on its way, if the address may have one', {
  type: 'object',
  required: ['flow_id'],
  properties: { flow_id: uuid },
})
const completed = {
  400: failure('The code is wrong, or the body is not valid'),
  404: failure('No such flow'),
  410: failure('The code is spent or expired, or was tried too often'),
  429: throttled,
}
const flowId = { name: 'flow_id', in: 'path', required: true, schema: uuid }
const codeBody = body(['code'], { code: { ...text, pattern: '^[0-9]{6}$' } })
const sessionOpened = {
  type: 'object',
  required: ['session_token', 'identity'],
  properties: { session_token: text, identity: ref('identity') },
}

export const OPENAPI = {
  openapi: '3.1.0',
  info: { title: 'Postrider identity', version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
  paths: {
    '/self-service/registration': {
      post: {
        operationId: 'startRegistration',
        summary: 'Mails a code to a new address; to a known one a code that logs in',
        requestBody: body(['traits'], { traits: ref('traits') }),
        responses: { 201: flowStarted, 400: failure('Names the field'), 429: throttled },
      },
    },
    '/self-service/registration/{flow_id}': {
      post: {
        operationId: 'completeRegistration',
        parameters: [flowId],
        requestBody: codeBody,
        responses: {
          200: answer('The identity; for an address that was known already a session', {
            oneOf: [ref('identity'), sessionOpened],
          }),
          ...completed,
        },
      },
    },
    '/self-service/login': {
      post: {
        operationId: 'startLogin',
        summary: 'Mails a code to a known address; answers alike for an unknown one',
        requestBody: body(['identifier'], { identifier: { ...text, format: 'email' } }),
        responses: { 202: flowStarted, 400: failure('Names the field'), 429: throttled },
      },
    },
    '/self-service/login/{flow_id}': {
      post: {
        operationId: 'completeLogin',
        parameters: [flowId],
        requestBody: codeBody,
        responses: { 200: answer('A session', sessionOpened), ...completed },
      },
    },
    '/sessions/whoami': {
      get: {
        operationId: 'whoami',
        security: [{ sessionToken: [] }, { bearer: [] }],
        responses: { 200: answer('The session', ref('session')), 401: failure('No valid session') },
      },
    },
    '/schemas/{id}': {
      get: {
        operationId: 'getIdentitySchema',
        parameters: [{ name: 'id', in: 'path', required: true, schema: text }],
        responses: { 200: answer('A JSON Schema', { type: 'object' }), 404: failure('No such schema') },
      },
    },
  },
  components: {
    securitySchemes: {
      sessionToken: { type: 'apiKey', in: 'header', name: 'X-Session-Token' },
      bearer: { type: 'http', scheme: 'bearer' },
    },
    schemas: {
      traits: {
        type: 'object',
        additionalProperties: false,
        required: ['email'],
        properties: { email: { ...text, format: 'email' }, name: { ...text, maxLength: 200 } },
      },
      identity: {
        type: 'object',
        required: ['id', 'schema_id', 'schema_url', 'traits'],
        properties: {
          id: uuid,
          schema_id: text,
          schema_url: { ...text, format: 'uri' },
          state: { enum: ['active', 'inactive'] },
          traits: ref('traits'),
          verifiable_addresses: { type: 'array', items: { type: 'object' } },
          recovery_addresses: { type: 'array', items: { type: 'object' } },
          created_at: instant,
          updated_at: instant,
        },
      },
      session: {
        type: 'object',
        required: ['id', 'active', 'identity'],
        properties: {
          id: uuid,
          active: { type: 'boolean' },
          expires_at: instant,
          authenticated_at: instant,
          issued_at: instant,
          identity: ref('identity'),
        },
      },
      error: {
        type: 'object',
        properties: {
          error: {
            type: 'object',
            properties: { code: { type: 'integer' }, status: text, message: text, details: { type: 'object' } },
          },
        },
      },
    },
  },
}
