import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CONFIG_SCHEMA, isConfigured } from '#libs/config'
import { environmentName, targetOf } from '../../../libs/config/environment-names.ts'
import { valueAt } from '../../../libs/config/merge-config.ts'
import type { SchemaNode } from '../../../libs/config/schema-node.ts'
import { fileOf, load, mistakesOf } from './config-file.ts'

const OLD = 'old-secret-16-characters'
const NEW = 'new-secret-16-characters'

function pathsOf(node: SchemaNode, path: string[] = []): string[][] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => [
    [...path, key],
    ...pathsOf(child, [...path, key]),
  ])
}

describe('the environment', () => {
  for (const [variable, text, key, value] of [
    ['COURIER_SMTP_CONNECTION_URI', 'smtp://mail:25/', 'courier.smtp.connection_uri', 'smtp://mail:25/'],
    ['COURIER_MESSAGE_RETRIES', '-1', 'courier.message_retries', -1],
    ['POSTRIDER_COURIER_RETRY_SCHEDULE', '1s', 'postrider.courier.retry_schedule', '1s'],
    [
      'POSTRIDER_COURIER_FALLBACK_SMTP_CONNECTION_URI',
      'smtp://next:25/',
      'postrider.courier.fallback.smtp.connection_uri',
      'smtp://next:25/',
    ],
    ['POSTRIDER_KAFKA_TOPIC_PREFIX', 't1.', 'postrider.kafka.topic_prefix', 't1.'],
    ['POSTRIDER_KAFKA_REPLICATION', '1', 'postrider.kafka.replication', 1],
    ['POSTRIDER_IDENTITY_PORT', '1', 'postrider.identity.port', 1],
    ['POSTRIDER_RELAY_METRICS_PORT', '2', 'postrider.relay.metrics_port', 2],
    ['POSTRIDER_CONSOLE_PEERS_COURIER', 'http://c:1', 'postrider.console.peers.courier', 'http://c:1'],
    ['POSTRIDER_CONSOLE_PEERS', '{"mine":"http://m:1"}', 'postrider.console.peers.mine', 'http://m:1'],
    ['DATABASE_URL', 'postgres://db/x', 'postrider.database.url', 'postgres://db/x'],
    ['KAFKA_BROKERS', 'a:1, b:2', 'postrider.kafka.brokers', ['a:1', 'b:2']],
    ['KAFKA_BROKERS', '[::1]:9092', 'postrider.kafka.brokers', ['[::1]:9092']],
    ['SECRETS_CIPHER', JSON.stringify([NEW, OLD]), 'secrets.cipher', [NEW, OLD]],
    ['SECRETS_CIPHER', `${NEW},${OLD}`, 'secrets.cipher', [NEW, OLD]],
    ['SECRETS_CIPHER_0', NEW, 'secrets.cipher', [NEW]],
    ['SELFSERVICE_METHODS_CODE_CONFIG_LIFESPAN', '15m', 'selfservice.methods.code.config.lifespan', '15m'],
    ['CLIENTS_HTTP_DISALLOW_PRIVATE_IP_RANGES', 'true', 'clients.http.disallow_private_ip_ranges', true],
    ['COURIER_SMTP_HEADERS', '{"X-A":"b"}', 'courier.smtp.headers', { 'X-A': 'b' }],
    ['DEV', '1', 'dev', true],
  ] as const) {
    it(`sets ${key} by ${variable}=${text}`, () => {
      assert.deepEqual(valueAt(load('', { [variable]: text }), key), value)
    })
  }

  it('sets parts of list items, over those of the file', () => {
    const text = 'courier: {channels: [{id: sms, request_config: {url: "https://a.example", method: PUT}}]}'
    const auth = 'COURIER_CHANNELS_0_REQUEST_CONFIG_AUTH'
    const { channels } = load(text, {
      COURIER_CHANNELS_0_REQUEST_CONFIG_URL: 'https://b.example',
      [`${auth}_TYPE`]: 'basic_auth',
      [`${auth}_CONFIG_USER`]: 'me',
      [`${auth}_CONFIG_PASSWORD`]: '12345',
    }).courier
    assert.deepEqual(channels[0]?.request_config, {
      url: 'https://b.example',
      method: 'PUT',
      headers: {},
      auth: { type: 'basic_auth', config: { user: 'me', password: '12345' } },
    })
  })

  it('takes a whole value before its parts, whatever their order', () => {
    const { channels } = load('', {
      COURIER_CHANNELS_0_REQUEST_CONFIG_METHOD: 'PUT',
      COURIER_CHANNELS: '[{"id":"sms","request_config":{"url":"https://a.example"}}]',
    }).courier
    assert.equal(channels[0]?.request_config.method, 'PUT')
    assert.equal(channels[0]?.request_config.url, 'https://a.example')
  })

  it('takes the full name over its alias', () => {
    const env = { DATABASE_URL: 'postgres://alias/x', POSTRIDER_DATABASE_URL: 'postgres://full/x' }
    assert.equal(load('', env).postrider.database.url, 'postgres://full/x')
  })

  it('reads a value from the file that NAME_FILE names, without its last line end', () => {
    const { secrets, postrider } = load('', {
      SECRETS_CIPHER_FILE: fileOf(`${NEW}\n`, 'cipher'),
      DATABASE_URL_FILE: fileOf('postgres://u:p@db/x\r\n', 'url'),
    })
    assert.deepEqual(secrets.cipher, [NEW])
    assert.equal(postrider.database.url, 'postgres://u:p@db/x')
  })

  it('refuses a file that is not there, and a value beside a file, by the variable', () => {
    assert.deepEqual(mistakesOf('', { SECRETS_CIPHER_FILE: '/nonexistent/secret' }), [
      'SECRETS_CIPHER_FILE (environment) secrets.cipher: found a file that cannot be read (ENOENT)',
    ])
    assert.deepEqual(mistakesOf('', { DATABASE_URL: 'postgres://db/x', DATABASE_URL_FILE: fileOf('x', 'url') }), [
      'DATABASE_URL_FILE (environment) postrider.database.url: DATABASE_URL is set too, allowed one of the two',
    ])
  })

  it('names the variable of a mistake', () => {
    assert.deepEqual(mistakesOf('courier: {message_retries: 1}', { COURIER_MESSAGE_RETRIES: 'many' }), [
      'COURIER_MESSAGE_RETRIES (environment) courier.message_retries: found "many", allowed an integer',
    ])
    assert.deepEqual(mistakesOf('', { KAFKA_BROKERS: 'kafka' }), [
      'KAFKA_BROKERS (environment) postrider.kafka.brokers.0: found "kafka", allowed host:port',
    ])
    assert.deepEqual(mistakesOf('', { COURIER_CHANNELS_0_REQUEST_CONFIG_URL: 'https://a.example' }), [
      'COURIER_CHANNELS_0_REQUEST_CONFIG_URL (environment) courier.channels.0.id: found nothing, allowed sms',
    ])
  })

  it('takes an empty variable for an unset one', () => {
    const config = load('', { KAFKA_BROKERS: '', COURIER_MESSAGE_RETRIES: '' })
    assert.equal(config.courier.message_retries, 5)
    assert.equal(isConfigured(config, 'postrider.kafka.brokers'), false)
  })

  for (const variable of [
    'POSTRIDER_INSTANCE',
    'POSTRIDER_HOME',
    'POSTRIDER_MAILBOX_SMTP_PORT',
    'POSTRIDER_MAILBOX_HTTP_PORT',
    'POSTRIDER_POSTGRES_PORT',
    'POSTRIDER_KAFKA_PORT',
    'POSTRIDER_URL',
    'POSTRIDER_API_KEY',
    'POSTRIDER_CONFIG',
    'COURIER',
    'SECRETS',
    'POSTRIDER',
    'COURIER_CHANNELS_1000000_ID',
    'COURIER_SMTP_CONNECTION',
    'PATH',
    'constructor',
  ]) {
    it(`leaves ${variable} alone`, () => {
      assert.equal(targetOf(CONFIG_SCHEMA, variable), undefined)
    })
  }

  it('has one name for every key, and finds the key by it', () => {
    const paths = pathsOf(CONFIG_SCHEMA).filter((path) => path.length > 1)
    assert.ok(paths.length > 80)
    for (const path of paths) assert.deepEqual(targetOf(CONFIG_SCHEMA, environmentName(path))?.path, path)
    assert.equal(new Set(paths.map(environmentName)).size, paths.length)
  })
})
