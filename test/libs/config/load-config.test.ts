import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ignoredKeys, isConfigured, loadConfig, requireDatabase, requireSecrets } from '#libs/config'
import { isCoded, messageOf } from '#libs/errors'
import { fileOf, load, mistakesOf } from './config-file.ts'

const SECRET = 'a-secret-of-more-than-16'

describe('loadConfig', () => {
  it('is complete and frozen without file and environment', () => {
    const { courier, postrider, secrets, selfservice, dev } = load('')
    assert.equal(courier.message_retries, 5)
    assert.equal(courier.smtp.from_address, 'no-reply@ory.kratos.sh')
    assert.equal(courier.smtp.connection_uri, undefined)
    assert.equal(selfservice.methods.code.config.lifespan, '1h')
    assert.deepEqual(secrets.cipher, [])
    assert.equal(dev, false)
    assert.equal(postrider.kafka.partitions, 8)
    assert.equal(postrider.identity.public_url, 'http://127.0.0.1:4433')
    assert.equal(postrider.telemetry.trace_url, '')
    assert.deepEqual(postrider.console.peers, {
      identity: 'http://127.0.0.1:4440',
      relay: 'http://127.0.0.1:4441',
      courier: 'http://127.0.0.1:4442',
      projector: 'http://127.0.0.1:4443',
    })
    assert.throws(() => Object.assign(courier.smtp, { local_name: 'x' }), TypeError)
  })

  it('takes the file over the defaults, and the environment over the file', () => {
    const text = 'courier:\n  message_retries: 7\n  smtp:\n    from_name: Ada\n    local_name: mail.example.org\n'
    const { courier } = load(text, { COURIER_MESSAGE_RETRIES: '9' })
    assert.equal(courier.message_retries, 9)
    assert.equal(courier.smtp.from_name, 'Ada')
    assert.equal(courier.smtp.local_name, 'mail.example.org')
    assert.equal(courier.worker.pull_count, 10)
  })

  it('reads the file that POSTRIDER_CONFIG names, and refuses a missing one', () => {
    const file = fileOf('courier:\n  message_retries: 3\n', 'named.yaml')
    assert.equal(loadConfig({ env: { POSTRIDER_CONFIG: file } }).courier.message_retries, 3)
    assert.throws(
      () => loadConfig({ env: { POSTRIDER_CONFIG: '/nonexistent.yaml' } }),
      /nonexistent\.yaml: there is no such file/,
    )
  })

  it('reads JSON, anchors and merge keys', () => {
    assert.equal(load('{"courier": {"message_retries": 2}}').courier.message_retries, 2)
    const text =
      'x: &request {url: "https://a.example", method: PUT}\ncourier:\n  http:\n    request_config: {<<: *request, method: PATCH}\n'
    const { http } = load(text).courier
    assert.equal(http.request_config?.url, 'https://a.example')
    assert.equal(http.request_config?.method, 'PATCH')
  })

  it('fills defaults inside channels', () => {
    const [channel] = load('courier: {channels: [{id: sms, request_config: {url: "https://a.example"}}]}').courier
      .channels
    assert.equal(channel?.type, 'http')
    assert.equal(channel?.request_config.method, 'POST')
  })

  it('points an unset connection_uri at the mailbox, and a set one nowhere else', () => {
    const mailbox = { POSTRIDER_MAILBOX_SMTP_PORT: '4425' }
    assert.equal(load('', mailbox).courier.smtp.connection_uri, 'smtp://127.0.0.1:4425/?disable_starttls=true')
    const own = load('courier: {smtp: {connection_uri: "smtps://mail.example.org:465"}}', mailbox)
    assert.equal(own.courier.smtp.connection_uri, 'smtps://mail.example.org:465')
  })

  it('takes peers one by one over those of the metrics ports', () => {
    const { peers } = load('postrider: {relay: {metrics_port: 5000}, console: {peers: {courier: "http://courier:1"}}}')
      .postrider.console
    assert.equal(peers.courier, 'http://courier:1')
    assert.equal(peers.relay, 'http://127.0.0.1:5000')
  })

  it('tells what was configured from what is a default', () => {
    assert.equal(isConfigured(load(''), 'postrider.kafka.brokers'), false)
    assert.equal(isConfigured(load('', { KAFKA_BROKERS: '127.0.0.1:4492' }), 'postrider.kafka.brokers'), true)
    assert.equal(isConfigured(load('postrider: {kafka: {brokers: ["k:9092"]}}'), 'postrider.kafka.brokers'), true)
  })

  it('lists what is not for Postrider, and takes an empty key for absent', () => {
    const config = load(
      'dsn: memory\ncourier:\nselfservice:\n  default_browser_return_url: https://a.example\n  methods:\n',
    )
    assert.deepEqual(ignoredKeys(config), ['dsn', 'selfservice.default_browser_return_url'])
    assert.equal(config.courier.message_retries, 5)
  })

  for (const partitions of [1, 2, 4, 8, 16, 32, 64]) {
    it(`allows ${partitions} partitions`, () => {
      assert.equal(load(`postrider: {kafka: {partitions: ${partitions}}}`).postrider.kafka.partitions, partitions)
    })
  }
})

describe('a mistake', () => {
  for (const [what, text, expected] of [
    [
      'a wrong type',
      'courier:\n  message_retries: many\n',
      ['postrider.yaml:2:3 courier.message_retries: found "many", allowed an integer'],
    ],
    [
      'a value outside of its bounds',
      'postrider:\n  identity:\n    port: 70000\n',
      ['postrider.yaml:3:5 postrider.identity.port: found 70000, allowed an integer from 1 to 65535'],
    ],
    [
      'partitions that do not divide 64',
      'postrider: {kafka: {partitions: 12}}',
      ['postrider.yaml:1:21 postrider.kafka.partitions: found 12, allowed 1, 2, 4, 8, 16, 32, 64'],
    ],
    [
      'a word that is not in the set',
      'courier:\n  delivery_strategy: pigeon\n',
      ['postrider.yaml:2:3 courier.delivery_strategy: found "pigeon", allowed smtp, http'],
    ],
    [
      'a bad duration',
      'courier:\n  worker: {pull_wait: 1d}\n',
      ['postrider.yaml:2:12 courier.worker.pull_wait: found "1d", allowed a duration such as 1h30m'],
    ],
    [
      'a retention below the life of a message',
      'postrider: {kafka: {retention: {messages: 24h}}}',
      [
        'postrider.yaml:1:33 postrider.kafka.retention.messages: found "24h", allowed a duration such as 1h30m, 168h or more',
      ],
    ],
    [
      'a schedule without delay',
      'postrider: {courier: {retry_schedule: "0s,5s"}}',
      ['postrider.yaml:1:23 postrider.courier.retry_schedule: found 0s, allowed durations from 1ms to 120h'],
    ],
    [
      'a rate without a time',
      'postrider: {courier: {rate: "100"}}',
      [
        'postrider.yaml:1:23 postrider.courier.rate: found "100", allowed a count per duration of at least 1ms, such as 100/1s or 6000/1m, or nothing',
      ],
    ],
    [
      'a rate of any number at once',
      'postrider: {courier: {rate: 5/0s}}',
      [
        'postrider.yaml:1:23 postrider.courier.rate: found 5/0s, allowed a count per duration of at least 1ms, such as 100/1s or 6000/1m, or nothing',
      ],
    ],
    [
      'an unknown key that is near another',
      'courier:\n  mesage_retries: 5\n',
      ['postrider.yaml:2:3 courier.mesage_retries: unknown key, did you mean message_retries?'],
    ],
    [
      'a misspelt key at the top, where others may stand',
      'postrdier:\n  kafka: {}\n',
      ['postrider.yaml:1:1 postrdier: unknown key, did you mean postrider?'],
    ],
    [
      'an unknown key that is near none',
      'postrider:\n  relay: {colour: red}\n',
      ['postrider.yaml:2:11 postrider.relay.colour: unknown key, allowed metrics_port'],
    ],
    [
      'a key of an earlier Kratos',
      'courier:\n  sms: {enabled: true}\n',
      ['postrider.yaml:2:3 courier.sms: unknown key, replaced by courier.channels with id: sms'],
    ],
    [
      'a missing key, at its parent',
      'courier:\n  channels:\n    - id: sms\n',
      ['postrider.yaml:3:7 courier.channels.0.request_config.url: found nothing, allowed an http:// or https:// URL'],
    ],
    [
      'a list that should be an object',
      'courier: []\n',
      ['postrider.yaml:1:1 courier: found a list of 0, allowed an object'],
    ],
    [
      'an HTTP strategy without target',
      'courier: {delivery_strategy: http}\n',
      ['postrider.yaml:1:1 courier.http.request_config.url: found nothing, needed by courier.delivery_strategy: http'],
    ],
    [
      'a link to traces that names no trace',
      'postrider: {telemetry: {trace_url: "http://127.0.0.1:9411/zipkin"}}',
      [
        'postrider.yaml:1:25 postrider.telemetry.trace_url: found "http://127.0.0.1:9411/zipkin", allowed an http:// or https:// URL with {trace_id}, or nothing',
      ],
    ],
    [
      'a certificate without key',
      'courier: {smtp: {client_cert_path: /c.pem}}\n',
      [
        'postrider.yaml:1:11 courier.smtp.client_key_path: found nothing, allowed both client_cert_path and client_key_path or none',
      ],
    ],
    ['a text as the whole file', 'hello\n', ['postrider.yaml:1:1 configuration: found a string, allowed an object']],
    ['a key twice', 'dev: true\ndev: true\n', ['postrider.yaml:2:1 not valid YAML: duplicate key']],
    [
      'an unknown authentication',
      'courier: {http: {request_config: {auth: {type: magic}}}}',
      ['postrider.yaml:1:42 courier.http.request_config.auth.type: found "magic", allowed api_key or basic_auth'],
    ],
  ] as const) {
    it(`is told with its place: ${what}`, () => {
      assert.deepEqual(mistakesOf(text), expected)
    })
  }

  it('is none: a link to traces of any backend, with the place of the trace', () => {
    for (const url of [
      'http://127.0.0.1:9411/zipkin/traces/{trace_id}',
      'https://g.example/explore?panes=%7B{trace_id}%7D',
    ])
      assert.equal(load(`postrider: {telemetry: {trace_url: "${url}"}}`).postrider.telemetry.trace_url, url)
  })

  it('does not hide the others', () => {
    assert.deepEqual(mistakesOf('courier:\n  message_retries: x\n  smtpp: {}\ndev: maybe\n', { DEV: 'perhaps' }), [
      'postrider.yaml:3:3 courier.smtpp: unknown key, did you mean smtp?',
      'postrider.yaml:2:3 courier.message_retries: found "x", allowed an integer',
      'DEV (environment) dev: found "perhaps", allowed true or false',
    ])
  })

  it('in a file of another format tells the allowed ones', () => {
    assert.throws(
      () => loadConfig({ env: {}, file: fileOf('a = 1', 'kratos.toml') }),
      /kratos\.toml: found TOML, allowed YAML/,
    )
  })
})

describe('requireSecrets', () => {
  it('refuses none and tells how to set one', () => {
    assert.throws(
      () => requireSecrets(load('')),
      (error) => isCoded(error, 'CONFIG_INVALID') && /^secrets\.cipher: .*SECRETS_CIPHER/.test(messageOf(error)),
    )
    requireSecrets(load('', { SECRETS_CIPHER: SECRET }))
  })

  it('never sees a short one', () => {
    assert.deepEqual(mistakesOf('secrets:\n  cipher:\n    - short\n'), [
      'postrider.yaml:3:7 secrets.cipher.0: found [redacted], allowed text of 16 or more characters',
    ])
  })
})

describe('requireDatabase', () => {
  it('refuses none and names the variable', () => {
    assert.throws(() => requireDatabase(load('')), /DATABASE_URL/)
    requireDatabase(load('', { DATABASE_URL: 'postgres://db/x' }))
  })
})
