import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import asyncApiSchema from '@asyncapi/specs/schemas/3.0.0.json' with { type: 'json' }
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { CloudEvent, Kafka } from 'cloudevents'
import { parse } from 'yaml'
import { loadConfig, parseDuration } from '#libs/config'
import { decodeStatus, EVENT_STATES, topics } from '#libs/messages'
import { contractDocuments } from '../../../../libs/messages/contract/documents.ts'
import { assertPublished, isData } from './contract.ts'
import { CONTRACT, readContract } from './files.ts'

const asyncApi = parse(readContract('asyncapi.yaml'))
const sent = JSON.parse(readContract('examples/sent.json'))

function validateAsyncApi(document: unknown): string[] {
  // The schema brings the schema of schemas along.
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false, meta: false, validateSchema: false })
  addFormats.default(ajv)
  const validate = ajv.compile(asyncApiSchema)
  validate(document)
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

describe('contractDocuments', () => {
  for (const [name, text] of contractDocuments()) {
    it(`is what stands in ${name}`, () => {
      assert.deepEqual(parse(readContract(name)), parse(text), 'run `npm run build:contract`')
    })
  }

  it('has an example of every state, and no other', () => {
    const files = readdirSync(join(CONTRACT, 'examples')).sort()
    assert.deepEqual(files, EVENT_STATES.map((state) => `${state}.json`).sort())
  })

  for (const state of EVENT_STATES) {
    it(`shows ${state} as the contract says, and as both our reader and the CloudEvents SDK take it`, () => {
      const { key, headers, value } = JSON.parse(readContract(`examples/${state}.json`))
      const record = { key, headers, value: JSON.stringify(value) }
      assertPublished(record)
      assert.equal(decodeStatus(record.value, headers).data.status, state)
      const event = Kafka.toEvent({ headers, body: record.value, key, value: record.value } as never)
      assert.ok(event instanceof CloudEvent && event.validate())
    })
  }
})

describe('a reader by the schema', () => {
  it('takes fields, statuses and reasons that it does not know', () => {
    const later = {
      ...sent.value,
      region: 'eu',
      status: 'paused',
      failure_class: 'new_class',
      durations_ms: { ...sent.value.durations_ms, scan: 5 },
    }
    assert.ok(isData(later), JSON.stringify(isData.errors))
  })

  for (const [what, broken] of [
    ['a missing field', { ...sent.value, terminal: undefined }],
    ['an unknown severity', { ...sent.value, severity: 'fatal' }],
    ['a time without zone', { ...sent.value, occurred_at: '2026-01-02T03:04:05' }],
    ['an id that is no UUIDv7', { ...sent.value, message_id: 'm-1' }],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.equal(isData(JSON.parse(JSON.stringify(broken))), false)
    })
  }
})

describe('assertPublished', () => {
  const record = { ...sent, value: JSON.stringify(sent.value) }
  const withData = (more: object) => ({ ...record, value: JSON.stringify({ ...sent.value, ...more }) })
  for (const [what, drifted] of [
    ['a field that the contract does not have', withData({ region: 'eu' })],
    ['one further down', withData({ durations_ms: { total: 1, scan: 5 } })],
    ['a failure class that it does not have', withData({ failure_class: 'new_class' })],
    ['a header that it does not have', { ...record, headers: { ...sent.headers, ce_region: 'eu' } }],
    ['a missing header', { ...record, headers: { ...sent.headers, ce_id: undefined } }],
    ['a key that is not the message', { ...record, key: '019b7c9d-5d88-7000-8000-00000000ffff' }],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(() => assertPublished(drifted))
    })
  }
})

describe('asyncapi.yaml', () => {
  it('is valid AsyncAPI 3 with Kafka bindings', () => {
    assert.deepEqual(validateAsyncApi(asyncApi), [])
  })

  for (const [what, path, value] of [
    ['an action that there is not', ['operations', 'publishDeliveryStatus', 'action'], 'emit'],
    ['a number of partitions in words', ['channels', 'deliveryStatus', 'bindings', 'kafka', 'partitions'], 'eight'],
    ['a payload that is no schema', ['components', 'messages', 'deliveryStatus', 'payload', 'type'], 'record'],
  ] as const) {
    it(`would not be with ${what}`, () => {
      const broken = structuredClone(asyncApi)
      const place = path.slice(0, -1).reduce((at, key) => at[key], broken)
      place[path.at(-1)!] = value
      assert.notDeepEqual(validateAsyncApi(broken), [])
    })
  }

  it('names only channels and messages that it has', () => {
    const { $ref: channel } = asyncApi.operations.publishDeliveryStatus.channel
    const { $ref: message } = asyncApi.channels.deliveryStatus.messages.deliveryStatus
    assert.deepEqual([channel, message], ['#/channels/deliveryStatus', '#/components/messages/deliveryStatus'])
  })

  it('tells topic, partitions, copies and retention as a new topic has them by default', () => {
    const { kafka } = loadConfig({ env: { SECRETS_CIPHER: '["a secret of sixteen characters"]' } }).postrider
    const { kafka: binding } = asyncApi.channels.deliveryStatus.bindings
    assert.equal(binding.topic, topics('').status)
    assert.equal(asyncApi.channels.deliveryStatus.address, topics('').status)
    assert.deepEqual([binding.partitions, binding.replicas], [kafka.partitions, kafka.replication])
    assert.equal(binding.topicConfiguration['retention.ms'], parseDuration(kafka.retention.status))
  })
})
