/** The part of the API's description that is about figures, contents, traces, templates, tests and the mailbox. */
const text = { type: 'string' }
const number = { type: 'number' }
const integer = { type: 'integer' }
const instant = { type: 'string', format: 'date-time' }
const nullable = (type: string, format?: string) => ({ type: [type, 'null'], ...(format !== undefined && { format }) })
const object = (properties: Record<string, unknown>) => ({ type: 'object', properties })
const list = (items: unknown) => ({ type: 'array', items })
const json = (schema: unknown) => ({ 'application/json': { schema } })
const answer = (description: string, schema: unknown) => ({ description, content: json(schema) })
const failure = (description: string) => answer(description, { $ref: '#/components/schemas/error' })
const document = { description: 'A document for a sandboxed frame', content: { 'text/html': { schema: text } } }
const query = (name: string, schema: unknown, description: string) => ({ name, in: 'query', schema, description })
const path = (name: string) => ({ name, in: 'path', required: true, schema: text })
const body = (properties: Record<string, unknown>, required: readonly string[] = []) => ({
  required: required.length > 0,
  content: json({ ...object(properties), additionalProperties: false, required }),
})

const PROJECT = query('project', text, 'Only of this one, by id or slug')
const MESSAGE = [path('id')]
const unknownMessage = { 400: failure('The id is no UUID'), 404: failure('No such message') }
const unknownProject = { 404: failure('No such project') }

const bars = list(object({ key: text, count: integer }))
const totals = object({
  accepted: integer,
  sent: { ...integer, description: 'Taken by a server, whatever was heard of it later' },
  ...Object.fromEntries(['queued', 'deferred', 'held', 'suppressed', 'superseded'].map((name) => [name, integer])),
  failed: { ...integer, description: 'Given up' },
  expired: integer,
  cancelled: integer,
  delivered: integer,
  bounced: integer,
  complained: integer,
  deferred_now: { ...nullable('integer'), description: 'Waiting for a next attempt now, whenever they were accepted' },
  p50_ms: nullable('integer'),
  p95_ms: nullable('integer'),
  p99_ms: nullable('integer'),
})
const stats = object({
  from: instant,
  to: instant,
  step_s: integer,
  sampled: {
    ...object({ share: number, previous_share: number, failed_attempts_capped: { type: 'boolean' } }),
    description: 'Shares below 1: so much was read and stands for all, in even slices of time',
  },
  totals,
  previous: totals,
  series: list(
    object({ at: instant, accepted: integer, sent: integer, deferred: integer, failed: integer, other: integer }),
  ),
  time_to_sent: list(
    object({ at: instant, p50: nullable('integer'), p95: nullable('integer'), p99: nullable('integer') }),
  ),
  failed_attempts: integer,
  breakdown: object({ class: bars, reply_code: bars, template: bars, domain: bars, provider: bars }),
})
const stage = object({
  stage: { enum: ['outbox', 'topic', 'sending', 'waiting', 'projector'] },
  count: { ...nullable('integer'), description: 'Up to 10,001; null: not known' },
  oldest_age_s: nullable('number'),
  note: text,
})
const channel = object({
  ...Object.fromEntries(['project', 'project_id', 'project_name', 'channel'].map((name) => [name, text])),
  provider: { ...nullable('string'), description: 'Host that mail goes to' },
  shared: { type: 'boolean', description: "Through the operator's server" },
  state: { enum: ['open', 'blocked'] },
  ...Object.fromEntries(['class', 'enhanced_code', 'message'].map((name) => [name, nullable('string')])),
  reply_code: nullable('integer'),
  since: nullable('string', 'date-time'),
  next_probe_at: nullable('string', 'date-time'),
  couriers_reporting: integer,
  couriers_alive: integer,
  rate: { ...nullable('string'), description: 'Most mails within a time; null: no limit' },
  rate_per_s: nullable('number'),
  concurrency: integer,
  per_minute: { ...integer, description: 'Tries within the last minute' },
  attempts_15m: integer,
  success_share: nullable('number'),
  newest_only: { type: 'boolean', description: 'There were more tries than were looked at' },
  last_error: {
    ...nullable('object'),
    properties: { at: instant, class: nullable('string'), reply_code: nullable('integer'), message: text },
  },
})
const content = object({
  subject: text,
  text,
  html_url: nullable('string'),
  headers: list({ type: 'array', prefixItems: [text, text] }),
  masked: { type: 'boolean' },
})
const span = object({
  ...Object.fromEntries(['id', 'name', 'service'].map((name) => [name, text])),
  parent: nullable('string'),
  started_at: instant,
  duration_ms: integer,
  error: { type: 'boolean' },
  note: nullable('string'),
})
const step = object({
  step: { enum: ['resolve', 'connect', 'tls', 'greeting', 'ehlo', 'starttls', 'auth', 'mail_from', 'request'] },
  ok: { ...nullable('boolean'), description: 'null: not tried' },
  ms: nullable('integer'),
  detail: text,
  remedy: text,
})
const template = object({
  template_type: text,
  channels: {
    type: 'object',
    additionalProperties: object({
      fields: list(object({ name: text, type: text, required: { type: 'boolean' } })),
      sample: { type: 'object' },
      source: { enum: ['uri', 'folder', 'built_in'] },
    }),
  },
})
const preview = object({
  subject: text,
  text,
  html: nullable('string'),
  html_url: { ...nullable('string'), description: 'For ten minutes, for whoever asked' },
  problems: list(text),
})

const show = (summary: string, description: string, schema: unknown, parameters: readonly unknown[] = []) => ({
  summary,
  parameters: [PROJECT, ...parameters],
  responses: { 200: answer(description, schema), ...unknownProject },
})

const mailbox = (summary: string, description: string, parameters: readonly unknown[]) => ({
  summary,
  parameters,
  responses: { 200: { description }, 404: failure('There is no mailbox, or no such mail') },
})

export const INSIGHT_PATHS = {
  '/admin/courier/stats': {
    get: show('Figures of the messages accepted within a span', 'Totals, series and what failed', stats, [
      query('channel', text, 'Only of this one'),
      query('from', instant, 'The last hour by default; at most 7 days'),
      query('to', instant, 'Now by default'),
    ]),
  },
  '/admin/courier/pipeline': { get: show('What is on its way, stage by stage', 'In order', list(stage)) },
  '/admin/courier/channels': {
    get: show('Where mail goes, and how that goes', 'By project and channel', list(channel)),
  },
  '/admin/courier/templates': { get: show('Template types with their fields', 'All types', list(template)) },
  '/admin/courier/messages/{id}/content': {
    get: {
      summary: 'What the message says; codes and links masked',
      parameters: MESSAGE,
      responses: { 200: answer('Masked', content), ...unknownMessage },
    },
  },
  '/admin/courier/messages/{id}/content/html': {
    get: {
      summary: 'Its HTML; masked without the token of a reveal',
      parameters: [...MESSAGE, query('token', text, 'Of html_url after a reveal; good for two minutes')],
      responses: { 200: document, ...unknownMessage },
    },
  },
  '/admin/courier/messages/{id}/content/reveal': {
    post: {
      summary: 'What the message says, in clear; goes into the audit log',
      parameters: MESSAGE,
      requestBody: body({ reason: { type: 'string', minLength: 3, maxLength: 200 } }, ['reason']),
      responses: { 200: answer('In clear', content), ...unknownMessage },
    },
  },
  '/admin/courier/messages/{id}/trace': {
    get: {
      summary: 'The way of the message as spans, from its own events',
      parameters: MESSAGE,
      responses: {
        200: answer(
          'By their start',
          object({ trace_id: nullable('string'), url: nullable('string'), spans: list(span) }),
        ),
        ...unknownMessage,
      },
    },
  },
  '/projects/{project}/test-connection': {
    post: {
      summary: 'Tries the way to the server step by step; sends nothing',
      parameters: [path('project')],
      requestBody: body({
        identity_config: { type: 'object', description: 'One that is not saved; else the saved one' },
      }),
      responses: {
        200: answer('Steps in order', list(step)),
        400: failure('The config is not valid'),
        ...unknownProject,
      },
    },
  },
  '/projects/{project}/test-message': {
    post: {
      summary: 'Sends a mail through the whole pipeline',
      parameters: [path('project')],
      requestBody: body({ recipient: text }, ['recipient']),
      responses: { 202: answer('Accepted', object({ id: text })), 400: failure('No address'), ...unknownProject },
    },
  },
  '/projects/{project}/templates/preview': {
    post: {
      summary: 'Renders a template of the project with sample data',
      parameters: [path('project')],
      requestBody: body({ template_type: text, channel: text, locale: text, data: { type: 'object' } }, [
        'template_type',
      ]),
      responses: { 200: answer('The parts', preview), 400: failure('Names the field'), ...unknownProject },
    },
  },
  '/projects/{project}/templates/preview/{id}': {
    get: {
      summary: 'The HTML of a preview',
      parameters: [path('project'), path('id')],
      responses: { 200: document, 404: failure('Over, or not of this key') },
    },
  },
  '/mailbox/messages': {
    get: mailbox('Mails of the dev mailbox', 'Newest first', [
      query('to', text, 'Only to'),
      query('limit', integer, 'Most'),
    ]),
    delete: mailbox('Empties the dev mailbox', 'Empty', []),
  },
  '/mailbox/messages/{id}': {
    get: mailbox('One mail of the dev mailbox', 'The mail', [path('id')]),
    delete: mailbox('Removes one mail of the dev mailbox', 'Removed', [path('id')]),
  },
}
