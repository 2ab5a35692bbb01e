/** Whatever is wrong with a configuration, what it tells never holds a secret of it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { withValue } from '../../../libs/config/merge-config.ts'
import { mistakesOf } from './config-file.ts'

const SECRET = 'hunter2-hunter2-hunter2'

/** Every place for a secret, with a form that is allowed there, and what stands beside it. */
const PLACES: readonly [string, unknown, Record<string, unknown>?][] = [
  ['courier.smtp.connection_uri', `smtp://user:${SECRET}@mail:25/`],
  ['courier.smtp.headers.X-Key', SECRET],
  ['courier.http.request_config.url', `https://a.example/?key=${SECRET}`],
  ['courier.http.request_config.headers.Authorization', SECRET],
  ['courier.http.request_config.body', `base64://${SECRET}`],
  ['courier.http.request_config.auth.config.value', SECRET, { 'courier.http.request_config.auth.type': 'api_key' }],
  [
    'courier.http.request_config.auth.config.password',
    SECRET,
    { 'courier.http.request_config.auth.type': 'basic_auth' },
  ],
  ['courier.templates.recovery.valid.email.subject', `base64://${SECRET}`],
  ['secrets.cipher', [SECRET]],
  ['secrets.pagination', [SECRET]],
  ['secrets.default', [SECRET]],
  ['secrets.cookie', [SECRET]],
  ['postrider.courier.fallback.smtp.connection_uri', `smtp://user:${SECRET}@mail:25/`],
  ['postrider.database.url', `postgres://user:${SECRET}@db/x`],
]

/** Ways to get a value wrong. */
const MISTAKES: readonly ((value: unknown) => unknown)[] = [
  (value) => value,
  (value) => `x${String(value)}`,
  (value) => [value],
  (value) => [[value]],
  (value) => ({ [String(value)]: null }),
  (value) => ({ value }),
  (value) => ({ type: value }),
  () => SECRET,
  () => ({ [SECRET]: SECRET }),
]

const place = fc.constantFrom(...PLACES)
const mistake = fc.constantFrom(...MISTAKES)

function put(config: unknown, key: string, value: unknown): unknown {
  return withValue(config, key.split('.'), value)
}

describe('a secret', () => {
  it('is never told, whatever is wrong with it in the file', () => {
    let told = 0
    const wrong = fc.array(fc.tuple(place, mistake), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(wrong, (mistakes) => {
        // One more mistake, so that there is always something to tell.
        const config = mistakes.reduce<unknown>(
          (value, [[key, right, beside = {}], spoil]) => {
            const placed = put(value, key, spoil(right))
            return Object.entries(beside).reduce((all, [other, text]) => put(all, other, text), placed)
          },
          { dev: 'maybe' },
        )
        const lines = mistakesOf(stringify(config, { aliasDuplicateObjects: false }))
        assert.ok(lines.length > 0)
        told += lines.length
        // A header's name is no secret, and is told like any other key.
        for (const line of lines) assert.doesNotMatch(line.replace(/headers\.[\w-]+:/, ''), /hunter2/)
      }),
      { numRuns: 500 },
    )
    assert.ok(told > 1_000)
  })

  for (const [variable, text] of [
    ['COURIER_SMTP_CONNECTION_URI', `mail://user:${SECRET}@mail`],
    ['COURIER_SMTP_CONNECTION_URI_FILE', SECRET],
    ['COURIER_SMTP', `{"connection_uri":"${SECRET}"`],
    ['COURIER_SMTP_HEADERS', `{"X-Key":"${SECRET}"`],
    ['COURIER_HTTP_REQUEST_CONFIG', `{"auth":{"type":"basic_auth","config":{"password":["${SECRET}"]}}}`],
    ['COURIER_HTTP_REQUEST_CONFIG_AUTH_CONFIG_PASSWORD', SECRET],
    ['COURIER_CHANNELS', SECRET],
    ['SECRETS_CIPHER', `["${SECRET}"`],
    ['SECRETS_CIPHER', `["${SECRET}",1]`],
    ['SECRETS_CIPHER', `{"${SECRET}":1}`],
    ['DATABASE_URL', `mysql://user:${SECRET}@db/x`],
    ['POSTRIDER_IDENTITY_PUBLIC_URL', `ftp://user:${SECRET}@identity`],
    ['POSTRIDER_CONSOLE_PEERS_COURIER', `ftp://user:${SECRET}@courier`],
    ['KAFKA_BROKERS', `sasl://user:${SECRET}@kafka:9092`],
  ] as const) {
    it(`is never told, whatever is wrong with ${variable}`, () => {
      const lines = mistakesOf('', { [variable]: text })
      if (variable !== 'SECRETS_CIPHER' || text.startsWith('[')) assert.ok(lines.length > 0)
      assert.doesNotMatch(lines.join('\n'), /hunter2/)
    })
  }

  for (const text of [
    `courier:\n  smtp:\n    connection_uri:smtp://user:${SECRET}@mail:25/\n`,
    `courier: {smtp: {connection_uri:smtp://user:${SECRET}@mail:25/}}\n`,
    `secrets: {${SECRET}}\n`,
    `secrets:\n  cipher: *${SECRET}\n`,
    `secrets:\n  cipher: !${SECRET} x\n`,
    `secrets:\n  cipher: "${SECRET}\n`,
    `secrets:\n  cipher:\n    - ${SECRET}: x: y\n`,
    `secrets:\n  ${SECRET}\n  cipher: []\n`,
    `courier: {http: {request_config: {auth: {type: basic_auth, config: {user: me, ${SECRET}}}}}}\n`,
  ]) {
    it(`is never told where the line is written wrong: ${JSON.stringify(text)}`, () => {
      const lines = mistakesOf(text)
      assert.ok(lines.length > 0)
      assert.doesNotMatch(lines.join('\n'), /hunter2/)
    })
  }
})
