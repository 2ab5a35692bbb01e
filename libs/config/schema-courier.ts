/** `courier` and `clients`: the keys of a Kratos configuration, with their defaults. */
import { Type } from 'typebox'
import { requestConfig } from './schema-http.ts'
import { closed, duration, flag, headers, integer, text } from './schema-parts.ts'
import { templates } from './schema-templates.ts'

const smtp = closed('The mail server.', {
  connection_uri: Type.Optional(
    Type.String({
      description: 'smtp:// or smtps:// with user, password, host and port. Unset on one machine: the dev mailbox.',
      pattern: '^smtps?://\\S+$',
      allowed: 'smtp:// or smtps:// with host and port',
      secret: true,
      uri: 'target',
    }),
  ),
  from_address: Type.String({
    description: 'Sender of every mail, in the header and in the envelope.',
    default: 'no-reply@ory.kratos.sh',
    pattern: '^[^\\s@<>]+@[^\\s@<>]+$',
    allowed: 'an address such as no-reply@example.org',
  }),
  from_name: Type.Optional(text('Name beside the sender address.')),
  headers: headers('Headers added to every mail.', {}),
  local_name: text('Name in EHLO.', { default: 'localhost' }),
  client_cert_path: text('PEM file of the client certificate; with client_key_path or not at all.', { default: '' }),
  client_key_path: text('PEM file of its key.', { default: '' }),
})

const channel = closed('One more way to deliver.', {
  id: Type.Unsafe<'sms'>({ type: 'string', enum: ['sms'], description: 'Which messages go this way.' }),
  type: Type.Unsafe<'http'>({ type: 'string', enum: ['http'], default: 'http', description: 'How they go.' }),
  request_config: requestConfig,
})

export const courier = closed('How mail is delivered.', {
  delivery_strategy: Type.Unsafe<'smtp' | 'http'>({
    type: 'string',
    enum: ['smtp', 'http'],
    default: 'smtp',
    description: 'How mail goes out.',
  }),
  message_retries: integer('Tries after the first one; 0 or less means a single try.', { default: 5 }),
  worker: closed('Read for compatibility; deliveries start at once and are bounded by postrider.courier.', {
    pull_count: integer('Messages taken at once by a polling courier.', { default: 10 }),
    pull_wait: duration('Pause of a polling courier.', { default: '1s' }),
  }),
  template_override_path: Type.Optional(text('Folder of templates that replace the built-in ones.')),
  smtp,
  http: closed('The HTTP provider of delivery_strategy: http.', { request_config: Type.Optional(requestConfig) }),
  channels: Type.Array(channel, { description: 'Ways to deliver beside mail.', default: [] }),
  templates,
})

/** What of a user's request templates and Jsonnet may see. */
const HEADER_ALLOWLIST = [
  ...[
    'Accept',
    'Accept-Encoding',
    'Accept-Language',
    'Content-Length',
    'Content-Type',
    'Origin',
    'Priority',
    'Referer',
  ],
  ...['Sec-Ch-Ua', 'Sec-Ch-Ua-Mobile', 'Sec-Ch-Ua-Platform', 'Sec-Fetch-Dest', 'Sec-Fetch-Mode', 'Sec-Fetch-Site'],
  ...['Sec-Fetch-User', 'True-Client-Ip', 'User-Agent'],
]

export const clients = closed('Limits of outgoing connections.', {
  http: closed('Of HTTP.', {
    disallow_private_ip_ranges: flag('Refuses targets in private networks.'),
    private_ip_exception_urls: Type.Array(Type.String({ secret: true, uri: 'resource' }), {
      description: 'URLs that are allowed all the same; * stands for one part of host or path.',
      default: [],
    }),
  }),
  smtp: closed('Of SMTP.', { disallow_private_ip_ranges: flag('Refuses mail servers in private networks.') }),
  web_hook: closed('What reaches templates of HTTP bodies.', {
    header_allowlist: Type.Array(Type.String(), {
      description: "Headers of the user's request that ctx.request_headers holds.",
      default: HEADER_ALLOWLIST,
    }),
  }),
})
