/** `postrider`: the keys that a Kratos configuration does not have. */
import { Type } from 'typebox'
import { RATE, RATE_MEANING } from './parse-rate.ts'
import { closed, duration, integer, port, text } from './schema-parts.ts'

const BROKER = '^(\\[[0-9a-fA-F:.]+\\]|[^\\s:,/@\\[\\]]+):[0-9]{1,5}$'
/** 5 days, the longest life of a message, and 48 hours to notice and repair a stopped courier. */
const SHORTEST_RETENTION = '168h'
const DELAY = '\\s*([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+\\s*'

const database = closed('PostgreSQL.', {
  url: Type.String({
    description: 'Where the tables are: postgres://user:password@host:port/name.',
    default: '',
    pattern: '^(postgres(ql)?://\\S+)?$',
    allowed: 'a postgres:// URL',
    secret: true,
  }),
})

const kafka = closed('Kafka.', {
  brokers: Type.Array(Type.String({ pattern: BROKER, allowed: 'host:port' }), {
    description: 'Brokers to start from.',
    default: ['127.0.0.1:4492'],
    minItems: 1,
    allowed: 'a list of one or more host:port',
  }),
  topic_prefix: Type.String({
    description: 'Stands before every topic and group, so that deployments share a cluster.',
    default: '',
    pattern: '^[a-zA-Z0-9._-]{0,100}$',
    allowed: 'up to 100 letters, digits, dots, dashes and underscores',
  }),
  partitions: Type.Unsafe<number>({
    type: 'integer',
    enum: [1, 2, 4, 8, 16, 32, 64],
    default: 8,
    description: 'Partitions of new topics: the most couriers that can share the work.',
  }),
  replication: integer('Copies of every record of new topics.', { default: 3, minimum: 1, maximum: 32 }),
  retention: closed('How long new topics keep their records.', {
    messages: duration('Messages to deliver.', { default: SHORTEST_RETENTION, atLeast: SHORTEST_RETENTION }),
    status: duration('Delivery-status events.', { default: '720h', atLeast: '1h' }),
    dead_letter: duration('Records that could not be processed.', { default: '720h', atLeast: '1h' }),
  }),
})

const courier = closed('The courier.', {
  window: integer('Messages under way at once in one courier.', { default: 2_000, minimum: 1, maximum: 100_000 }),
  concurrency: integer('Connections to one mail server at once.', { default: 20, minimum: 1, maximum: 1_000 }),
  rate: Type.String({
    description:
      'Most mails to one server within a time, all couriers together: 100/1s, 6000/1m. Empty: as fast as it takes them.',
    default: '',
    pattern: `^$|${RATE.source}`,
    allowed: `${RATE_MEANING}, or nothing`,
  }),
  retry_schedule: Type.String({
    description: 'Delays before the second try, the third and so on; the last one repeats.',
    default: '5s,30s,2m,5m,15m,30m',
    pattern: `^${DELAY}(,${DELAY})*$`,
    allowed: 'durations such as 5s,30s,2m',
  }),
  on_unknown: Type.Unsafe<Readonly<Record<string, 'resend' | 'hold' | undefined>>>({
    type: 'object',
    description:
      'By template type: whether a mail whose outcome is unknown is sent once more, or held for an operator.',
    default: {},
    additionalProperties: { type: 'string', enum: ['resend', 'hold'], allowed: 'resend | hold' },
  }),
  fallback: closed('The provider that takes what the first one does not.', {
    smtp: closed('A mail server; the sender, headers and EHLO name are those of courier.smtp.', {
      connection_uri: Type.Optional(
        Type.String({
          description:
            'Takes urgent mail whose first try failed, and all mail while the first provider stands still. ' +
            'smtp:// or smtps:// with user, password, host and port.',
          pattern: '^smtps?://\\S+$',
          allowed: 'smtp:// or smtps:// with host and port',
          secret: true,
          uri: 'target',
        }),
      ),
    }),
  }),
  metrics_port: port('Health and metrics.', 4442),
})

const identity = closed('The identity service.', {
  host: text('Address to listen on.', { default: '127.0.0.1' }),
  port: port('Its API.', 4433),
  metrics_port: port('Health and metrics.', 4440),
  public_url: Type.String({
    description: 'How users reach it; links in mails start with it. Empty: http://127.0.0.1 with its port.',
    default: '',
    pattern: '^(https?://\\S+)?$',
    allowed: 'an http:// or https:// URL',
  }),
  throttle: closed('How much one client and one address may ask for.', {
    mails: integer('Mails to one address within mails_window.', { default: 5, minimum: 1 }),
    mails_window: duration('The window of mails.', { default: '10m', atLeast: '1s' }),
    requests: integer('Requests of one client within requests_window.', { default: 100, minimum: 1 }),
    requests_window: duration('The window of requests.', { default: '1m', atLeast: '1s' }),
  }),
})

const PEER = { type: 'string', pattern: '^https?://\\S+$', allowed: 'an http:// or https:// URL' } as const

function peer(service: string) {
  return { ...PEER, description: `Health and metrics of ${service}. Unset: 127.0.0.1 with its metrics_port.` }
}

const console = closed('The console.', {
  host: text('Address to listen on. Beyond loopback every request needs a key.', { default: '127.0.0.1' }),
  port: port('Admin API and page.', 4434),
  public_url: Type.String({
    description:
      'How operators reach it. Where it begins with https, sign-ins are kept to TLS. Empty: 127.0.0.1 with its port.',
    default: '',
    pattern: '^(https?://\\S+)?$',
    allowed: 'an http:// or https:// URL',
  }),
  admin_key: Type.String({
    description:
      'A key of role admin that needs no database row, to start from; `postrider keys create` makes the others.',
    default: '',
    pattern: '^(\\S{32,})?$',
    allowed: 'text of 32 or more characters without spaces',
    secret: true,
  }),
  peers: Type.Unsafe<Record<string, string>>({
    type: 'object',
    description: 'Base URL of the health of each service that /health/ready asks.',
    default: {},
    properties: Object.fromEntries(['identity', 'relay', 'courier', 'projector'].map((name) => [name, peer(name)])),
    additionalProperties: PEER,
  }),
})

export const postrider = closed('What is not part of a Kratos configuration.', {
  database,
  kafka,
  relay: closed('The relay.', { metrics_port: port('Health and metrics.', 4441) }),
  courier,
  identity,
  projector: closed('The projector.', { metrics_port: port('Health and metrics.', 4443) }),
  console,
  telemetry: closed('Traces and metrics; the OTEL_* variables say where they go.', {
    trace_url: Type.String({
      description:
        'How the trace backend shows one trace, with {trace_id} in its place: http://127.0.0.1:9411/zipkin/traces/{trace_id}. ' +
        'The API and the page link there. Empty: no link.',
      default: '',
      pattern: '^(https?://\\S*\\{trace_id\\}\\S*)?$',
      allowed: 'an http:// or https:// URL with {trace_id}, or nothing',
    }),
  }),
})
