/** The identity API as OpenAPI 3.1. */
const text = { type: 'string' }
const uuid = { type: 'string', format: 'uuid' }
const instant = { type: 'string', format: 'date-time' }
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const nullable = (schema: object) => ({ anyOf: [schema, { type: 'null' }] })
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
const flowStarted = answer('A mail or text message is on its way, if the address may have one', {
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
const code = { ...text, pattern: '^[0-9]{6}$' }
const token = { ...text, pattern: '^[A-Za-z0-9_-]{43}$' }
const email = { ...text, format: 'email' }
const phone = { ...text, pattern: '^\\+[1-9][0-9]{5,14}$', description: 'E.164' }
const codeBody = body(['code'], { code })
const transient_payload = { type: 'object', description: 'Passed to the templates of the mail' }
const oneTarget = { oneOf: [{ required: ['email'] }, { required: ['phone'] }, { required: ['identifier'] }] }
const page = { 'text/html': { schema: text } }
const sessionOpened = {
  type: 'object',
  required: ['session_token', 'identity'],
  properties: { session_token: text, identity: ref('identity') },
}

const verified = {
  type: 'object',
  required: ['state', 'verified', 'already_verified', 'verifiable_address'],
  properties: {
    state: { const: 'passed_challenge' },
    verified: { const: true },
    already_verified: { type: 'boolean', description: 'This flow did it before' },
    verifiable_address: ref('verifiable_address'),
  },
}
const confirmation = {
  type: 'object',
  required: ['flow_id', 'state', 'message'],
  properties: { flow_id: uuid, state: { const: 'sent_email' }, message: text },
}

/** Starts a flow of whoever owns the address. */
function start(operationId: string, summary: string, properties: Record<string, unknown> = {}) {
  const identifier = { ...text, description: 'An address or a phone number' }
  const asked = { email, phone, identifier, ...properties, transient_payload }
  return {
    post: {
      operationId,
      summary: `${summary}; answers alike for an unknown one`,
      requestBody: {
        required: true,
        content: json({ type: 'object', ...oneTarget, properties: asked }),
      },
      responses: { 202: flowStarted, 400: failure('Names the field'), 429: throttled },
    },
  }
}

const method = { enum: ['code', 'link'], default: 'code', description: 'Links go by mail only' }

/** What a link opens beside the start of the flow that it ends. */
function opened(operationId: string, summary: string, secrets: Record<string, unknown>, outcome: unknown) {
  const parameters = Object.entries({ flow: uuid, ...secrets }).map(([name, schema]) => ({
    name,
    in: 'query',
    required: name === 'flow',
    schema,
  }))
  return {
    get: {
      operationId,
      summary,
      parameters,
      responses: {
        200: { description: 'A page where the client accepts text/html', content: { ...json(outcome), ...page } },
        ...completed,
      },
    },
  }
}

function completion(operationId: string, secrets: Record<string, unknown>, outcome: unknown) {
  const schema = {
    type: 'object',
    properties: secrets,
    oneOf: Object.keys(secrets).map((name) => ({ required: [name] })),
  }
  return {
    post: {
      operationId,
      parameters: [flowId],
      requestBody: { required: true, content: { ...json(schema), 'application/x-www-form-urlencoded': { schema } } },
      responses: {
        200: { description: 'A page where the client accepts text/html', content: { ...json(outcome), ...page } },
        ...completed,
      },
    },
  }
}

export const OPENAPI = {
  openapi: '3.1.0',
  info: { title: 'Postrider identity', version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
  paths: {
    '/self-service/registration': {
      post: {
        operationId: 'startRegistration',
        summary:
          'Sends a code to a new address, by SMS where the traits have no mail address; to a known one a code that logs in',
        requestBody: {
          required: true,
          content: json({
            type: 'object',
            properties: { traits: ref('traits'), email, phone, transient_payload },
            oneOf: [{ required: ['traits'] }, { anyOf: [{ required: ['email'] }, { required: ['phone'] }] }],
          }),
        },
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
          409: failure('Another identity has the other address of the traits'),
        },
      },
    },
    '/self-service/login': start('startLogin', 'Sends a code to a known address'),
    '/self-service/login/{flow_id}': {
      post: {
        operationId: 'completeLogin',
        parameters: [flowId],
        requestBody: codeBody,
        responses: { 200: answer('A session', sessionOpened), ...completed },
      },
    },
    '/self-service/verification': {
      ...start('startVerification', 'Sends a code or link to a known address', { method }),
      ...opened('openVerification', 'Verifies an address; may be opened again', { token, code }, verified),
    },
    '/self-service/verification/{flow_id}': completion('completeVerification', { code, token }, verified),
    '/self-service/recovery': {
      ...start('startRecovery', 'Sends a code or link to a known address', { method }),
      ...opened(
        'openRecovery',
        'Opens a session for a client that accepts application/json; a browser gets a page with a button, and nothing is spent',
        { token },
        { oneOf: [sessionOpened, confirmation] },
      ),
    },
    '/self-service/recovery/{flow_id}': completion('completeRecovery', { code, token }, sessionOpened),
    '/identities/{id}': {
      patch: {
        operationId: 'changeTraits',
        summary: 'Changes traits of the identity of the session; a new address has to be verified, the old one is told',
        security: [{ sessionToken: [] }, { bearer: [] }],
        parameters: [{ name: 'id', in: 'path', required: true, schema: uuid }],
        requestBody: body(['traits'], {
          traits: {
            type: 'object',
            additionalProperties: false,
            description: 'Those that change; null takes one away',
            properties: { email: nullable(email), phone: nullable(phone), name: nullable({ ...text, maxLength: 200 }) },
          },
          transient_payload,
        }),
        responses: {
          200: answer('The identity, and the verifications that wait for their codes', {
            allOf: [ref('identity'), { type: 'object', properties: { continue_with: { type: 'array' } } }],
          }),
          400: failure('Names the field'),
          401: failure('No valid session'),
          404: failure('The session has no such identity'),
          409: failure('Another identity has this address'),
          429: throttled,
        },
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
        anyOf: [{ required: ['email'] }, { required: ['phone'] }],
        properties: { email, phone, name: { ...text, maxLength: 200 } },
      },
      verifiable_address: {
        type: 'object',
        required: ['id', 'value', 'verified', 'via', 'status'],
        properties: {
          id: uuid,
          value: text,
          verified: { type: 'boolean' },
          via: { enum: ['email', 'sms'] },
          status: { enum: ['pending', 'completed'] },
          verified_at: instant,
          created_at: instant,
          updated_at: instant,
        },
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
          verifiable_addresses: { type: 'array', items: ref('verifiable_address') },
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
