/** The part of the API's description that is about choosing messages, acting on them, and watching them. */

import { FAILURE_CLASSES } from '#libs/delivery'
import { CHANNELS, MESSAGE_STATES } from '#libs/messages'

const text = { type: 'string' }
const count = { type: 'integer' }
const instant = { type: 'string', format: 'date-time' }
const uuid = { type: 'string', format: 'uuid' }
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const json = (schema: unknown) => ({ 'application/json': { schema } })
const answer = (description: string, schema: unknown) => ({ description, content: json(schema) })
const failure = (description: string) => answer(description, ref('error'))
const query = (name: string, schema: unknown, description: string) => ({ name, in: 'query', schema, description })

const FILTERS: readonly (readonly [name: string, schema: object, description: string])[] = [
  ['status', { enum: ['queued', 'processing', 'sent', 'abandoned'] }, 'Only these'],
  ['recipient', text, 'Only to exactly this address'],
  ['state', { enum: MESSAGE_STATES }, 'Only in this state'],
  ['template_type', text, 'Only of this type'],
  ['project', text, 'Only of this project, by id or slug'],
  ['channel', { enum: CHANNELS }, 'Only by this channel'],
  ['domain', text, 'Only to this domain; known from the first attempt on'],
  ['class', { enum: FAILURE_CLASSES }, 'Only where the last attempt failed so'],
  ['reply_code', { type: 'integer', minimum: 100, maximum: 599 }, 'Only where the last attempt was answered so'],
  ['enhanced_code', text, 'The same, such as 5.1.1'],
  ['created_after', instant, 'Created then or later'],
  ['created_before', instant, 'Created earlier'],
  ['trace_id', { type: 'string', pattern: '^[0-9a-f]{32}$' }, 'Of this trace'],
  ['provider_message_id', text, 'What the provider named it'],
  ['message_id', uuid, 'The one with this id'],
  ['identity_id', text, 'To exactly this identity'],
  [
    'q',
    { type: 'string', maxLength: 500 },
    'A search box: all words hold. An address, a telephone number, an id, a trace id, a code such as 550 or 5.1.1, state: status: ' +
      'template: code: domain: class: channel: project: to: id: trace: provider: with a value, or a word of a template type, state ' +
      "or class; anything else is a provider's id",
  ],
]

/** All can be combined. A search that no index serves is given up after 5 s with 400. */
export const FILTER_PARAMETERS = FILTERS.map(([name, schema, description]) => query(name, schema, description))
export const DISPATCHES = query(
  'dispatches',
  { type: 'boolean', default: false },
  'Shows the dispatches of each message',
)

const id = { name: 'id', in: 'path', required: true, schema: uuid }
const refusals = {
  400: failure('The id is no UUID'),
  404: failure('No such message'),
  409: failure('The message is in another state: error.details.state'),
}

const retry = {
  operationId: 'retryCourierMessage',
  summary: 'Sends a message now that waits for its next attempt, or is held',
  description:
    'A message that waits for its first attempt goes as soon as it can: 202 without effect. One behind a channel that stands still ' +
    'waits for that channel. One that has come to its end is refused: resend makes a new one.',
  parameters: [id],
  responses: { 202: answer('The id', ref('accepted')), ...refusals },
}

const cancel = {
  operationId: 'cancelCourierMessage',
  summary: 'Ends a message that was not sent yet; it becomes cancelled, with the reason operator',
  description: 'While it is being sent it is too late: 409, and state is processing.',
  parameters: [id],
  responses: { 202: answer('The id', ref('accepted')), ...refusals },
}

const resend = {
  operationId: 'resendCourierMessage',
  summary:
    'Makes a new message with the content of one that has come to its end, in a trace of its own that links to the former one',
  description:
    'It gets a fresh lifetime. A code or link keeps its own: it is refused once that is over, and when a newer one went to the same ' +
    'recipient (error.details.newer_id).',
  parameters: [id, { name: 'Idempotency-Key', in: 'header', schema: text }],
  responses: {
    202: answer('The id of the new message', ref('accepted')),
    ...refusals,
    422: failure('The Idempotency-Key was used with another message'),
  },
}

const bulk = (operationId: string, summary: string) => ({
  operationId,
  summary,
  description:
    'At most 10,000 messages at a time, newest first, in batches that are committed one by one; more says whether there are others.',
  requestBody: { required: true, content: json(ref('messageFilter')) },
  responses: {
    200: answer('With dry_run: how many it would be', ref('counted')),
    202: answer('How many it was, and how many were being sent or over', ref('counted')),
    400: failure('A field is not valid or not known, or there is no filter; nothing was done'),
  },
})

const stream = {
  operationId: 'streamCourierMessages',
  summary: 'Messages as they change, as server-sent events',
  description:
    'Each event `message` is one message as the list shows it. A reconnect with Last-Event-ID goes on from there for five minutes; it ' +
    'may repeat a message and never leaves one out. After an event `gap` load the list again; after `cut_off` (the client read too ' +
    'slowly) or `closing` (every 15 minutes, or when the console stops) connect again.',
  parameters: [
    ...FILTER_PARAMETERS,
    DISPATCHES,
    { name: 'Last-Event-ID', in: 'header', schema: text, description: 'Id of the last event that was read' },
  ],
  responses: {
    200: { description: 'Events without end', content: { 'text/event-stream': { schema: text } } },
    400: failure('A parameter is not valid'),
    429: failure('This console streams to 100 clients already'),
  },
}

const audit = {
  operationId: 'listAudit',
  summary: 'Who did what, newest first',
  parameters: [
    query('limit', { type: 'integer', default: 50, maximum: 500 }, 'Entries'),
    query('before', { type: 'integer' }, 'Only older ones than the entry with this id'),
  ],
  responses: {
    200: answer('The entries', { type: 'array', items: ref('auditEntry') }),
    400: failure('A parameter is not valid'),
  },
}

export const ACTION_PATHS = {
  '/admin/courier/messages/{id}/retry': { post: retry },
  '/admin/courier/messages/{id}/cancel': { post: cancel },
  '/admin/courier/messages/{id}/resend': { post: resend },
  '/admin/courier/messages/retry': { post: bulk('retryCourierMessages', 'Retries all that are deferred or held') },
  '/admin/courier/messages/cancel': { post: bulk('cancelCourierMessages', 'Cancels all that were not sent yet') },
  '/admin/courier/messages/stream': { get: stream },
  '/admin/audit': { get: audit },
}

export const ACTION_SCHEMAS = {
  messageFilter: {
    type: 'object',
    additionalProperties: false,
    description: "The list's parameters; at least one of them",
    properties: {
      ...Object.fromEntries(FILTERS.map(([name, schema, description]) => [name, { ...schema, description }])),
      dry_run: { type: 'boolean', default: false, description: 'Only counts' },
    },
  },
  counted: {
    type: 'object',
    required: ['count', 'more'],
    properties: { count, skipped: count, more: { type: 'boolean' } },
  },
  auditEntry: {
    type: 'object',
    required: ['id', 'at', 'actor', 'action', 'message_id', 'project_id', 'details'],
    properties: {
      id: count,
      at: instant,
      actor: { ...text, description: 'Name of the key; local on loopback without one' },
      action: { ...text, description: 'Such as message.cancel' },
      message_id: { type: ['string', 'null'], format: 'uuid' },
      project_id: { type: ['string', 'null'], format: 'uuid' },
      details: { type: 'object' },
    },
  },
}
