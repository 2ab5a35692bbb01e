/** The console's API as OpenAPI 3.1: Ory's two operations with their fields, and our own. */
import { CHANNELS, MESSAGE_STATES, TEMPLATE_TYPES } from '#libs/messages'
import { INSIGHT_PATHS } from './insights/openapi.ts'
import { KEY_PATHS, KEY_SCHEMES, KEY_SECURITY } from './keys/key-openapi.ts'
import { ACTION_PATHS, ACTION_SCHEMAS, DISPATCHES, FILTER_PARAMETERS } from './openapi-actions.ts'
import { PROJECT_PATHS, PROJECT_SCHEMAS } from './openapi-projects.ts'

const text = { type: 'string' }
const nullable = (type: string, format?: string) => ({ type: [type, 'null'], ...(format !== undefined && { format }) })
const instant = { type: 'string', format: 'date-time' }
const uuid = { type: 'string', format: 'uuid' }
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const json = (schema: unknown) => ({ 'application/json': { schema } })
const answer = (description: string, schema: unknown) => ({ description, content: json(schema) })
const query = (name: string, schema: unknown, description: string) => ({ name, in: 'query', schema, description })
const failure = (description: string) => answer(description, ref('error'))

const ORY_STATUSES = ['queued', 'processing', 'sent', 'abandoned']

const dispatch = {
  type: 'object',
  required: ['id', 'message_id', 'status', 'created_at', 'updated_at'],
  properties: {
    id: uuid,
    message_id: uuid,
    status: { enum: ['success', 'failed'] },
    error: { type: ['object', 'null'], description: 'code, status, reason, message; null on success' },
    created_at: instant,
    updated_at: instant,
    attempt: { type: 'integer', description: 'Every try counts, from 1; as dispatch' },
    dispatch: { type: 'integer', description: 'Every try counts, from 1' },
    charged: { type: 'integer', description: 'Tries so far that count against the retry budget' },
    state: { ...text, description: 'What became of the message by this try' },
    class: nullable('string'),
    reply_code: nullable('integer'),
    enhanced_code: nullable('string'),
    command: { ...nullable('string'), description: 'The command that was answered, such as RCPT or DOT' },
    duration_ms: nullable('integer'),
    durations_ms: {
      type: 'object',
      additionalProperties: { type: 'integer' },
      description:
        'By phase: queue; dns, tcp, tls, auth where a connection was opened; mail, data, dot (SMTP) or request, response (HTTP); connect and send, which hold these; total. A phase that did not take place is missing',
    },
    decision: nullable('string'),
    next_attempt_at: nullable('string', 'date-time'),
    provider: nullable('string'),
    worker: { ...nullable('string'), description: 'The courier that tried' },
    peer: {
      type: ['object', 'null'],
      description: 'Who was asked: host, port, address and tls (its version) as far as the connection came',
      properties: { host: text, port: { type: 'integer' }, address: text, tls: text },
    },
    reused: { ...nullable('boolean'), description: 'Whether the connection had been open before' },
    reply_text: { ...nullable('string'), description: 'The words of the reply; not in lists' },
    conversation: {
      type: ['array', 'null'],
      items: text,
      description: 'Of a failed dialogue, without login secrets and without the mail; not in lists',
    },
  },
}

const message = {
  type: 'object',
  required: [
    'id',
    'status',
    'type',
    'recipient',
    'body',
    'subject',
    'template_type',
    'send_count',
    'created_at',
    'updated_at',
  ],
  properties: {
    id: uuid,
    status: { enum: ORY_STATUSES },
    type: { enum: CHANNELS },
    recipient: text,
    body: { ...text, description: 'Redacted unless dev mode' },
    subject: { ...text, description: 'Redacted unless dev mode' },
    template_type: text,
    channel: text,
    send_count: { type: 'integer' },
    dispatches: { type: 'array', items: ref('messageDispatch'), description: 'Newest first; in lists on request' },
    created_at: instant,
    updated_at: instant,
    state: { enum: MESSAGE_STATES },
    project_id: uuid,
    lane: { enum: ['urgent', 'notice'] },
    identity_id: nullable('string'),
    locale: nullable('string'),
    trace_id: nullable('string'),
    expires_at: instant,
    next_attempt_at: nullable('string', 'date-time'),
    provider_message_id: nullable('string'),
    possibly_delivered: { type: 'boolean' },
    last_error: nullable('string'),
    blocked_by: {
      description: 'While the message is queued or deferred and its channel stands still: why',
      oneOf: [ref('blockage'), { type: 'null' }],
    },
    resent_from: { ...nullable('string', 'uuid'), description: 'The message that an operator sent anew as this one' },
  },
}

const blockage = {
  type: 'object',
  required: ['class', 'reply_code', 'enhanced_code', 'since', 'next_probe_at', 'message'],
  properties: {
    class: { ...text, description: 'Class of the failure, such as network or auth' },
    reply_code: nullable('integer'),
    enhanced_code: nullable('string'),
    since: instant,
    next_probe_at: { ...instant, description: 'When the channel is tried again; past while that is under way' },
    message: { ...text, description: 'What went wrong and what to change' },
  },
}

const newMessage = {
  type: 'object',
  additionalProperties: false,
  required: ['recipient', 'template_type'],
  properties: {
    recipient: text,
    template_type: { enum: TEMPLATE_TYPES },
    template_data: { type: 'object', description: 'As the template type asks; stub: subject, body, html_body' },
    project: { ...text, description: 'Id or slug', default: 'default' },
    channel: { enum: CHANNELS, default: 'email' },
    identity_id: uuid,
    locale: text,
    expires_at: { ...instant, description: 'At most 5 days ahead' },
    lane: { enum: ['urgent', 'notice'] },
  },
}

const error = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: { code: { type: 'integer' }, status: text, message: text, reason: text, details: { type: 'object' } },
    },
  },
}

const list = {
  operationId: 'listCourierMessages',
  summary: 'Lists messages, newest first',
  parameters: [
    query('page_size', { type: 'integer', default: 10, maximum: 500 }, 'Rows per page'),
    query('page_token', text, 'From the Link header; good for an hour'),
    ...FILTER_PARAMETERS,
    DISPATCHES,
  ],
  responses: {
    200: {
      ...answer('Messages, without dispatches unless they are asked for', { type: 'array', items: ref('message') }),
      headers: { Link: { schema: text, description: 'rel="first", and rel="next" where there is more' } },
    },
    400: failure('A parameter is not valid'),
  },
}

const create = {
  operationId: 'createCourierMessages',
  summary: 'Accepts one message, or a list of at most 1,000',
  parameters: [{ name: 'Idempotency-Key', in: 'header', schema: text }],
  requestBody: {
    required: true,
    content: json({ oneOf: [ref('newMessage'), { type: 'array', maxItems: 1_000, items: ref('newMessage') }] }),
  },
  responses: {
    202: answer('The id, or the ids in the order of the list', {
      oneOf: [ref('accepted'), { type: 'array', items: ref('accepted') }],
    }),
    400: failure('Names index and field; nothing was accepted'),
    413: failure('A message is too large'),
    422: failure('The Idempotency-Key was used with another body'),
  },
}

const get = {
  operationId: 'getCourierMessage',
  summary: 'One message with its dispatches',
  parameters: [{ name: 'id', in: 'path', required: true, schema: uuid }],
  responses: {
    200: answer('The message', ref('message')),
    400: failure('The id is no UUID'),
    404: failure('No such message'),
  },
}

const ready = {
  summary: 'Whether every part is up',
  responses: { 200: { description: 'All' }, 503: { description: 'Not all' } },
}

export const OPENAPI = {
  openapi: '3.1.0',
  info: { title: 'Postrider console', version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
  security: KEY_SECURITY,
  paths: {
    ...KEY_PATHS,
    '/admin/courier/messages': { get: list, post: create },
    '/admin/courier/messages/{id}': { get },
    ...ACTION_PATHS,
    '/health/alive': {
      get: { summary: 'Whether this process serves', responses: { 200: { description: 'It does' } } },
    },
    '/health/ready': { get: ready },
    ...PROJECT_PATHS,
    ...INSIGHT_PATHS,
  },
  components: {
    securitySchemes: KEY_SCHEMES,
    schemas: {
      message,
      messageDispatch: dispatch,
      blockage,
      newMessage,
      accepted: { type: 'object', required: ['id'], properties: { id: uuid } },
      error,
      ...ACTION_SCHEMAS,
      ...PROJECT_SCHEMAS,
    },
  },
}
