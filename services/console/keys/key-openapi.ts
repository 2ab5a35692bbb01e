/** Keys and the sign-in of the page as OpenAPI 3.1. */
const text = { type: 'string' }
const role = { enum: ['viewer', 'sender', 'operator', 'admin'] }
const nullable = (format?: string) => ({ type: ['string', 'null'], ...(format !== undefined && { format }) })
const answer = (description: string, schema: unknown) => ({
  description,
  content: { 'application/json': { schema } },
})
const failure = (description: string) => answer(description, { $ref: '#/components/schemas/error' })
const body = (schema: unknown) => ({ required: true, content: { 'application/json': { schema } } })

const key = {
  type: 'object',
  properties: {
    id: text,
    name: text,
    role,
    project: { ...nullable(), description: 'Slug of the one project that it is bound to' },
    created_at: { ...text, format: 'date-time' },
    last_used_at: { ...nullable('date-time'), description: 'To the minute' },
    expires_at: nullable('date-time'),
    revoked_at: nullable('date-time'),
  },
}
const newKey = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'role'],
  properties: {
    name: { ...text, maxLength: 100 },
    role,
    project: { ...text, description: 'Id or slug' },
    expires_at: { ...text, format: 'date-time' },
  },
}
const who = { type: 'object', properties: { name: text, role, project: nullable() } }
const token = { properties: { token: { ...text, description: 'Shown this once: Authorization: Bearer' } } }

export const KEY_PATHS = {
  '/admin/keys': {
    get: { summary: 'Lists keys, newest first', responses: { 200: answer('Keys', { type: 'array', items: key }) } },
    post: {
      summary: 'Makes a key',
      requestBody: body(newKey),
      responses: { 201: answer('The key', { allOf: [key, token] }), 400: failure('Names the field') },
    },
  },
  '/admin/keys/{id}': {
    delete: {
      summary: 'Revokes a key, and ends the browsers that signed in with it',
      parameters: [{ name: 'id', in: 'path', required: true, schema: text }],
      responses: { 204: { description: 'It lets nobody in any more' }, 404: failure('No such key') },
    },
  },
  '/session': {
    get: {
      summary: 'Who asks',
      security: [{}],
      responses: { 200: answer('Name, role and project', who), 401: failure('Nobody that is known') },
    },
    post: {
      summary: 'Signs a browser in for 12 hours',
      security: [{}],
      requestBody: body({ type: 'object', required: ['key'], properties: { key: text } }),
      responses: { 200: answer('Sets a cookie', who), 401: failure('The key is not good'), 429: failure('Too many') },
    },
    delete: { summary: 'Signs a browser out', security: [{}], responses: { 204: { description: 'Done' } } },
  },
}

/** Keys are asked for beyond loopback only, so none is an alternative. */
export const KEY_SECURITY = [{ key: [] }, {}]
export const KEY_SCHEMES = { key: { type: 'http', scheme: 'bearer', description: 'A key: pr_<id>_<secret>' } }
