/** The keys, defaults, constraints and sources of a Kratos configuration, one by one. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { CONFIG_SCHEMA, ignoredKeys, loadConfig } from '#libs/config'
import { valueAt } from '../../../libs/config/merge-config.ts'
import type { SchemaNode } from '../../../libs/config/schema-node.ts'
import { fileOf, load, mistakesOf } from './config-file.ts'

const KRATOS = join(import.meta.dirname, 'kratos-parity', 'kratos.yml')
const SMS = '{"id":"sms","request_config":{"url":"https://sms.example/"}}'
const AREAS = [
  ...['version', 'dsn', 'serve', 'log', 'ciphers', 'hashers', 'identity', 'session', 'cookies', 'tracing'],
  ...['oauth2_provider', 'feature_flags', 'selfservice.flows.registration', 'selfservice.methods.oidc'],
]

/** Keys without alternatives below them. */
function keysOf(node: SchemaNode, path: string): string[] {
  const children = Object.entries(node.properties ?? {})
  return children.length === 0 ? [path] : children.flatMap(([key, child]) => keysOf(child, `${path}.${key}`))
}

describe('a whole configuration of Kratos', () => {
  const config = loadConfig({ env: {}, file: KRATOS })
  const written = parse(readFileSync(KRATOS, 'utf8'))

  it('loads as it is, and what Postrider reads of it keeps its value', () => {
    const { valid } = written.courier.templates.verification_code
    assert.deepEqual(valid.sms, { body: {} }) // the shape that Ory Network exports
    assert.deepEqual(config.courier, written.courier)
    assert.deepEqual(config.clients, written.clients)
    assert.deepEqual(config.secrets, written.secrets)
    assert.equal(config.selfservice.methods.code.config.lifespan, '15m')
    assert.equal(config.selfservice.methods.link.config.lifespan, '45m')
    assert.equal(config.selfservice.methods.link.config.base_url, 'https://accounts.example.org/')
    assert.equal(config.selfservice.flows.recovery.notify_unknown_recipients, true)
    assert.equal(config.selfservice.flows.verification.notify_unknown_recipients, false)
  })

  it('has every key that Postrider reads outside of templates', () => {
    const { courier, clients, secrets } = CONFIG_SCHEMA.properties ?? {}
    const { templates: _, ...others } = courier?.properties ?? {}
    const keys = [
      ...keysOf({ properties: others }, 'courier'),
      ...keysOf(clients ?? {}, 'clients'),
      ...keysOf(secrets ?? {}, 'secrets'),
    ]
    assert.ok(keys.length > 20)
    for (const key of keys) assert.notEqual(valueAt(written, key), undefined, key)
  })

  it('tells each key that is not for Postrider once', () => {
    const ignored = ignoredKeys(loadConfig({ env: {}, file: [KRATOS, KRATOS] }))
    assert.equal(new Set(ignored).size, ignored.length)
    for (const area of AREAS) assert.ok(ignored.includes(area), area)
    assert.deepEqual(
      ignored.filter((key) => /^(courier|clients|secrets|postrider)/.test(key)),
      [],
    )
  })
})

describe('defaults of Kratos', () => {
  const config = load('')
  for (const [key, value] of [
    ['courier.delivery_strategy', 'smtp'],
    ['courier.message_retries', 5],
    ['courier.worker.pull_count', 10],
    ['courier.worker.pull_wait', '1s'],
    ['courier.template_override_path', undefined],
    ['courier.smtp.connection_uri', undefined],
    ['courier.smtp.from_address', 'no-reply@ory.kratos.sh'],
    ['courier.smtp.from_name', undefined],
    ['courier.smtp.local_name', 'localhost'],
    ['courier.smtp.client_cert_path', ''],
    ['courier.smtp.client_key_path', ''],
    ['courier.channels', []],
    ['clients.http.disallow_private_ip_ranges', false],
    ['clients.http.private_ip_exception_urls', []],
    ['clients.smtp.disallow_private_ip_ranges', false],
    ['selfservice.methods.code.config.lifespan', '1h'],
    ['selfservice.methods.link.config.lifespan', '1h'],
    ['selfservice.flows.recovery.notify_unknown_recipients', false],
    ['selfservice.flows.verification.notify_unknown_recipients', false],
    ['dev', false],
  ] as const) {
    it(`has ${key} ${JSON.stringify(value) ?? 'unset'}`, () => assert.deepEqual(valueAt(config, key), value))
  }

  it('lets 17 headers of a request reach templates', () => {
    const headers =
      'Accept Accept-Encoding Accept-Language Content-Length Content-Type Origin Priority Referer Sec-Ch-Ua ' +
      'Sec-Ch-Ua-Mobile Sec-Ch-Ua-Platform Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User ' +
      'True-Client-Ip User-Agent'
    assert.deepEqual(config.clients.web_hook.header_allowlist, headers.split(' '))
  })

  it('fills type and method in channels too, and leaves the body to the default payload', () => {
    const [channel] = load(`courier: {channels: [${SMS}]}`).courier.channels
    assert.equal(channel?.type, 'http')
    assert.equal(channel?.request_config.method, 'POST')
    assert.equal(channel?.request_config.body, undefined)
  })
})

describe('what Kratos takes', () => {
  for (const text of [
    'courier: {message_retries: 0}',
    'courier: {message_retries: -3}',
    'courier: {worker: {pull_wait: 1h2m3s4ms5us6ns}}',
    'courier: {smtp: {connection_uri: "smtp://user:p%40ss@mail.example:25/?skip_ssl_verify=true"}}',
    'courier: {smtp: {connection_uri: "smtps://mail.example:465/?legacy_ssl=true"}}',
    'courier: {http: {request_config: {}}}',
    'courier: {http: {request_config: {body: "http://files.example/b.jsonnet"}}}',
    'courier: {http: {request_config: {body: "https://files.example/b.jsonnet"}}}',
    'courier: {http: {request_config: {body: "file:///etc/b.jsonnet"}}}',
    'courier: {http: {request_config: {body: "base64://ZnVuY3Rpb24oY3R4KSB7fQ=="}}}',
    'courier: {templates: {login_code: {valid: {email: {subject: "https://files.example/s"}}}}}',
    'courier: {templates: {recovery: {invalid: {email: {body: {}}}}}}',
    'courier: {templates: {verifiable_address_changed: {email: {}, sms: {body: {}}}}}',
    'courier: {templates: {authenticator_key_added: {email: {body: {html: "file://./x.gotmpl"}}}}}',
    'secrets: {pagination: [sixteen-letters-]}',
  ]) {
    it(`takes ${text}`, () => assert.deepEqual(mistakesOf(text), []))
  }
})

describe('what Kratos refuses', () => {
  for (const [text, pattern] of [
    ['courier: {delivery_strategy: sendgrid}', /courier\.delivery_strategy: found "sendgrid", allowed smtp, http$/],
    ['courier: {message_retries: many}', /courier\.message_retries: found "many", allowed an integer$/],
    ['courier: {worker: {pull_wait: 5}}', /courier\.worker\.pull_wait: .* allowed a duration/],
    ['courier: {worker: {pull_wait: 1d}}', /courier\.worker\.pull_wait: .* allowed a duration/],
    ['courier: {worker: {pull_wait: "1h 5m"}}', /courier\.worker\.pull_wait: .* allowed a duration/],
    ['courier: {smtp: {connection_uri: "http://mail"}}', /connection_uri: found \[redacted\], allowed smtp:\/\/ or/],
    ['courier: {smtp: {from_address: nobody}}', /courier\.smtp\.from_address: found "nobody", allowed an address/],
    ['courier: {smtp: {client_cert_path: /c.pem}}', /client_key_path: found nothing, allowed both/],
    ['courier: {smtp: {headers: {X-A: 1}}}', /courier\.smtp\.headers\.X-A: found \[redacted\], allowed text/],
    ['courier: {smtp: {timeout: 5s}}', /courier\.smtp\.timeout: unknown key, allowed connection_uri/],
    ['courier: {http: {request_config: {url: "ftp://a"}}}', /request_config\.url: .* allowed an http:\/\/ or https/],
    [
      'courier: {http: {request_config: {header: {A: b}}}}',
      /request_config\.header: unknown key, did you mean headers/,
    ],
    [
      'courier: {http: {request_config: {body: "function(ctx) {}"}}}',
      /body: .* allowed an http:\/\/, https:\/\/, file/,
    ],
    ['courier: {http: {request_config: {body: ./b.jsonnet}}}', /body: found \[redacted\], allowed an http:\/\/, https/],
    ['courier: {http: {request_config: {auth: {type: oauth}}}}', /auth\.type: .* allowed api_key or basic_auth$/],
    [
      'courier: {http: {request_config: {auth: {type: basic_auth, config: {user: x}}}}}',
      /auth\.config\.password: found nothing, allowed text$/,
    ],
    ['courier: {channels: [{id: sms}]}', /courier\.channels\.0\.request_config/],
    [`courier: {channels: [${SMS.replace('sms', 'fax')}]}`, /courier\.channels\.0\.id: found "fax", allowed sms$/],
    [`courier: {channels: [{type: smtp, ${SMS.slice(1)}]}`, /courier\.channels\.0\.type: found "smtp", allowed http$/],
    ['courier: {templates: {login_code: {invalid: {email: {}}}}}', /templates\.login_code\.invalid: unknown key/],
    ['courier: {templates: {recovery: {invalid: {sms: {}}}}}', /templates\.recovery\.invalid\.sms: unknown key/],
    ['courier: {templates: {recovery: {valid: {email: {body: {text: x}}}}}}', /email\.body\.text: unknown key/],
    ['secrets: {pagination: [short]}', /secrets\.pagination\.0: found \[redacted\], allowed text of 16 or more/],
  ] as const) {
    it(`refuses ${text}`, () => {
      const mistakes = mistakesOf(text)
      assert.equal(mistakes.length, 1, mistakes.join('\n'))
      assert.match(mistakes[0] ?? '', /^postrider\.yaml:1:\d+ /)
      assert.match(mistakes[0] ?? '', pattern)
    })
  }
})

describe('keys of earlier Kratos versions', () => {
  for (const [text, remedy] of [
    ['courier: {message_ttl: 1h}', /message_ttl: unknown key, replaced by courier\.message_retries and the lifespan/],
    [
      'courier: {sms: {enabled: true, from: "+1"}}',
      /courier\.sms: unknown key, replaced by courier\.channels with id: sms/,
    ],
    [
      `courier: {channels: [${SMS.replace('sms', 'phone')}]}`,
      /found "phone", allowed sms \(renamed to sms in Kratos 1\.1\)/,
    ],
  ] as const) {
    it(`says what took the place of ${text}`, () => assert.match(mistakesOf(text).join('\n'), remedy))
  }
})

describe('where values come from', () => {
  const AUTH = 'COURIER_HTTP_REQUEST_CONFIG_AUTH'
  const LOGIN = 'COURIER_TEMPLATES_LOGIN_CODE_VALID_EMAIL'
  for (const [variable, text, key, value] of [
    ['COURIER_DELIVERY_STRATEGY', 'smtp', 'courier.delivery_strategy', 'smtp'],
    ['COURIER_MESSAGE_RETRIES', '8', 'courier.message_retries', 8],
    ['COURIER_WORKER_PULL_COUNT', '50', 'courier.worker.pull_count', 50],
    ['COURIER_WORKER_PULL_WAIT', '500ms', 'courier.worker.pull_wait', '500ms'],
    ['COURIER_TEMPLATE_OVERRIDE_PATH', '/t', 'courier.template_override_path', '/t'],
    ['COURIER_SMTP_CONNECTION_URI', 'smtp://m:25/', 'courier.smtp.connection_uri', 'smtp://m:25/'],
    ['COURIER_SMTP_FROM_ADDRESS', 'a@example.org', 'courier.smtp.from_address', 'a@example.org'],
    ['COURIER_SMTP_FROM_NAME', 'Ada', 'courier.smtp.from_name', 'Ada'],
    ['COURIER_SMTP_LOCAL_NAME', 'mx', 'courier.smtp.local_name', 'mx'],
    ['COURIER_SMTP_HEADERS', '{"X-A":"b"}', 'courier.smtp.headers', { 'X-A': 'b' }],
    ['COURIER_HTTP_REQUEST_CONFIG_URL', 'https://a.example', 'courier.http.request_config.url', 'https://a.example'],
    ['COURIER_HTTP_REQUEST_CONFIG_METHOD', 'PUT', 'courier.http.request_config.method', 'PUT'],
    ['COURIER_HTTP_REQUEST_CONFIG_BODY', 'base64://eA==', 'courier.http.request_config.body', 'base64://eA=='],
    ['COURIER_HTTP_REQUEST_CONFIG_HEADERS', '{"A":"b"}', 'courier.http.request_config.headers', { A: 'b' }],
    [`${LOGIN}_SUBJECT`, 'base64://eA==', 'courier.templates.login_code.valid.email.subject', 'base64://eA=='],
    [`${LOGIN}_BODY_HTML`, 'file:///h', 'courier.templates.login_code.valid.email.body.html', 'file:///h'],
    ['CLIENTS_HTTP_DISALLOW_PRIVATE_IP_RANGES', 'true', 'clients.http.disallow_private_ip_ranges', true],
    ['CLIENTS_HTTP_PRIVATE_IP_EXCEPTION_URLS', 'http://a/*', 'clients.http.private_ip_exception_urls', ['http://a/*']],
    ['CLIENTS_SMTP_DISALLOW_PRIVATE_IP_RANGES', 'true', 'clients.smtp.disallow_private_ip_ranges', true],
    ['CLIENTS_WEB_HOOK_HEADER_ALLOWLIST', '["A","B"]', 'clients.web_hook.header_allowlist', ['A', 'B']],
    ['SECRETS_PAGINATION_0', 'sixteen-letters-', 'secrets.pagination', ['sixteen-letters-']],
    ['SELFSERVICE_METHODS_CODE_CONFIG_LIFESPAN', '5m', 'selfservice.methods.code.config.lifespan', '5m'],
    ['SELFSERVICE_METHODS_LINK_CONFIG_LIFESPAN', '5m', 'selfservice.methods.link.config.lifespan', '5m'],
    [
      'SELFSERVICE_FLOWS_RECOVERY_NOTIFY_UNKNOWN_RECIPIENTS',
      'true',
      'selfservice.flows.recovery.notify_unknown_recipients',
      true,
    ],
  ] as const) {
    it(`reads ${variable}, and the same from ${variable}_FILE`, () => {
      assert.deepEqual(valueAt(load('', { [variable]: text }), key), value)
      assert.deepEqual(valueAt(load('', { [`${variable}_FILE`]: fileOf(`${text}\n`, 'value') }), key), value)
    })
  }

  it('puts a password from the environment beside the user of the file', () => {
    const text =
      'courier: {http: {request_config: {url: "https://a.example", auth: {type: basic_auth, config: {user: me, password: old}}}}}'
    const { http } = load(text, { [`${AUTH}_CONFIG_PASSWORD`]: 'new' }).courier
    assert.deepEqual(http.request_config?.auth, { type: 'basic_auth', config: { user: 'me', password: 'new' } })
  })

  it('reads channels by number and as one JSON value', () => {
    const channel = {
      id: 'sms',
      type: 'http',
      request_config: { url: 'https://sms.example/', method: 'POST', headers: {} },
    }
    const byNumber = load('', {
      COURIER_CHANNELS_0_ID: 'sms',
      COURIER_CHANNELS_0_REQUEST_CONFIG_URL: 'https://sms.example/',
    })
    assert.deepEqual(byNumber.courier.channels, [channel])
    assert.deepEqual(load('', { COURIER_CHANNELS: `[${SMS}]` }).courier.channels, [channel])
    assert.deepEqual(load('', { COURIER_CHANNELS_0: SMS }).courier.channels, [channel])
  })

  it('takes several files, later ones over earlier ones, and the environment over all of them', () => {
    const first = fileOf('courier: {message_retries: 1, smtp: {from_name: One, local_name: one}}', 'first.yml')
    const second = fileOf('{"courier": {"message_retries": 2, "smtp": {"from_name": "Two"}}}', 'second.json')
    const { courier } = loadConfig({ env: { COURIER_MESSAGE_RETRIES: '3' }, file: [first, second] })
    assert.equal(courier.message_retries, 3)
    assert.equal(courier.smtp.from_name, 'Two')
    assert.equal(courier.smtp.local_name, 'one')
    assert.equal(courier.worker.pull_count, 10)
    const byName = loadConfig({ env: { POSTRIDER_CONFIG: `${second}, ${first}` } })
    assert.equal(byName.courier.smtp.from_name, 'One')
  })

  it('replaces a list by that of a later file', () => {
    const first = fileOf('clients: {web_hook: {header_allowlist: [A, B]}}', 'first.yml')
    const second = fileOf('clients: {web_hook: {header_allowlist: [C]}}', 'second.yml')
    assert.deepEqual(loadConfig({ env: {}, file: [first, second] }).clients.web_hook.header_allowlist, ['C'])
  })

  it('tells a mistake at the file that holds it, whatever stands in the others', () => {
    const first = fileOf('courier:\n  message_retries: many\n', 'first.yml')
    const second = fileOf('courier: {smtp: {from_name: Two}}', 'second.yml')
    assert.throws(
      () => loadConfig({ env: {}, file: [first, second] }),
      /first\.yml:2:3 courier\.message_retries: found "many"/,
    )
    assert.throws(
      () => loadConfig({ env: {}, file: [fileOf('[]', 'list.yml'), second] }),
      /configuration: found a list/,
    )
    assert.throws(
      () => loadConfig({ env: {}, file: [second, '/nonexistent.yml'] }),
      /nonexistent\.yml: there is no such/,
    )
  })

  it('says that TOML has to be converted', () => {
    assert.throws(
      () => loadConfig({ env: {}, file: fileOf('a = 1', 'kratos.toml') }),
      /found TOML, allowed YAML or JSON/,
    )
  })
})
