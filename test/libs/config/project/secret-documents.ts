/** Documents of projects with a secret at every place that takes one. */
import fc from 'fast-check'

/** Of a form that stands nowhere else in a document. */
const secret = fc.stringMatching(/^s3c-[a-z0-9]{12}$/)
const host = fc.constantFrom('mail.example.org', 'smtp.example.net:2525', '[2001:db8::1]:587', 'xn--bcher-kva.example')
const webHost = fc.constantFrom('hooks.example.org', 'api.example.net:8443')

const credentials = fc.oneof(
  secret.map((password) => `user:${password}`),
  fc.tuple(secret, secret).map(([user, password]) => `${user}:${password}`.replace(user, password)),
  secret.map((token) => `${token}:`),
  secret,
)

const mailUri = fc
  .tuple(fc.constantFrom('smtp', 'smtps'), credentials, host, fc.constantFrom('', '/', '/?skip_ssl_verify=true'))
  .map(([scheme, userinfo, server, rest]) => `${scheme}://${userinfo}@${server}${rest}`)

const webUrl = fc
  .tuple(fc.option(credentials), webHost, fc.option(fc.tuple(secret, secret)), fc.option(secret))
  .map(([userinfo, server, query, fragment]) => {
    const options = query === null ? '' : `?key=${query[0]}&mode=${query[1]}`
    return `https://${userinfo === null ? '' : `${userinfo}@`}${server}/send${options}${fragment === null ? '' : `#${fragment}`}`
  })

/** Beside the secrets of others. */
const shownHeaders = fc.dictionary(
  fc.constantFrom('Content-Type', 'content-type', 'ACCEPT'),
  fc.constantFrom('application/json', 'text/plain; charset=utf-8'),
)
const headers = fc
  .tuple(fc.dictionary(fc.constantFrom('X-Key', 'Authorization', 'X-Tenant', 'Accept-Key'), secret), shownHeaders)
  .map(([hidden, shown]) => ({ ...hidden, ...shown }))
const auth = fc.oneof(
  fc.record({
    type: fc.constant('api_key'),
    config: fc.record({ name: fc.constant('X-Auth'), value: secret, in: fc.constantFrom('header', 'cookie') }),
  }),
  fc.record({ type: fc.constant('basic_auth'), config: fc.record({ user: secret, password: secret }) }),
)
const request = fc.record({ url: webUrl, headers, auth }, { requiredKeys: ['url'] })

const courier = fc.record(
  {
    delivery_strategy: fc.constantFrom('smtp', 'http'),
    message_retries: fc.integer({ min: 0, max: 9 }),
    smtp: fc.record({ connection_uri: mailUri, from_name: fc.constant('Ada'), headers }, { requiredKeys: [] }),
    http: fc.record({ request_config: request }),
    channels: fc.array(fc.record({ id: fc.constant('sms'), request_config: request }), { maxLength: 1 }),
    templates: fc.record({
      recovery_code: fc.record({
        valid: fc.record({
          email: fc.record({ subject: webUrl, body: fc.constantFrom({}, { html: 'base64://PGI+' }) }),
        }),
      }),
    }),
  },
  { requiredKeys: ['http'] },
)

/** Valid, and none of its values is a default that has to be kept as it is. */
export const secretDocument = fc.record(
  {
    courier,
    clients: fc.record({
      http: fc.record({ private_ip_exception_urls: fc.array(webUrl, { maxLength: 3 }) }),
    }),
    selfservice: fc.record({
      methods: fc.record({ link: fc.record({ config: fc.record({ base_url: webUrl }, { requiredKeys: [] }) }) }),
    }),
    postrider: fc.record({
      courier: fc.record(
        {
          concurrency: fc.integer({ min: 1, max: 50 }),
          fallback: fc.record({ smtp: fc.record({ connection_uri: mailUri }) }),
        },
        { requiredKeys: [] },
      ),
    }),
  },
  { requiredKeys: ['courier'] },
)

/** What headers of requests and mails say of how a body is written, in the order of the document. */
export function shownHeadersIn(value: unknown): string[] {
  return JSON.stringify(value).match(/"(content-type|accept)":"[^"]*"/gi) ?? []
}

export function secretsIn(value: unknown): string[] {
  return [...new Set(JSON.stringify(value).match(/s3c-[a-z0-9]{12}/g) ?? [])].sort()
}
