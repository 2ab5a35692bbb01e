import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeMessage, type MessageRecord, openSealer, type SealedContent } from '#libs/messages'
import { SAMPLE_DATA } from '#libs/templates'
import { type KratosRecord, recordOfRow } from '../../../../services/relay/kratos/record-of-row.ts'
import { type QueuedRow, reservationOf } from '../../../../services/relay/kratos/reservation.ts'
import { queuedRow, TRACEPARENT } from './rows.ts'

const sealer = openSealer(['the secret of the relay tests'])

function made(row: QueuedRow): KratosRecord {
  return recordOfRow(row, reservationOf(row, undefined, TRACEPARENT), sealer)
}

function opened(row: QueuedRow): { message: MessageRecord; content: SealedContent; record: KratosRecord } {
  const record = made(row)
  assert.equal(record.kind, 'record')
  const message = decodeMessage(record.kind === 'record' ? record.record.value : '')
  return { message, content: sealer.open(row.nid, message.sealed) as SealedContent, record }
}

describe('recordOfRow', () => {
  it('is a record as from an outbox: sealed, keyed by recipient, with the trace', () => {
    const row = queuedRow()
    const { message, content, record } = opened(row)
    assert.deepEqual(content, { recipient: row.recipient, template_data: { subject: 'Hello', body: 'It works.' } })
    assert.deepEqual([message.project_id, message.source_id, message.channel], [row.nid, row.id, 'email'])
    assert.equal(message.created_at, row.created_at.toISOString())
    assert.ok(record.kind === 'record')
    assert.equal(record.record.key, sealer.hmac(row.nid, row.recipient))
    assert.deepEqual([record.record.headers.traceparent, record.record.headers.ce_id], [TRACEPARENT, message.id])
    const clear = `${record.record.key}${record.record.value}`
    for (const secret of [row.recipient, 'Hello', 'It works', 'Stored']) assert.ok(!clear.includes(secret), secret)
  })

  for (const { templateType, channel, data } of SAMPLE_DATA) {
    it(`leaves ${templateType} for ${channel} to our templates, in its lane`, () => {
      const recipient = channel === 'sms' ? '+4930901820' : 'ada@example.org'
      const type = channel === 'sms' ? 2 : 1
      const { message, content } = opened(queuedRow({ template_type: templateType, channel, type, recipient, data }))
      assert.equal(content.rendered, undefined)
      assert.deepEqual(content.template_data, data)
      assert.equal(message.lane, templateType.endsWith('_valid') ? 'urgent' : 'notice')
    })
  }

  for (const [what, row] of [
    ['a type of a later Kratos', queuedRow({ template_type: 'passkey_removed', data: { name: 'x' } })],
    ['a model that does not fit its type', queuedRow({ template_type: 'login_code_valid', data: { code: '123456' } })],
    ['data that are no JSON', queuedRow({ data: '{' })],
    ['data that are no object', queuedRow({ data: '[1]' })],
    ['no data', { ...queuedRow(), template_data: null }],
  ] as const) {
    it(`sends ${what} as Kratos rendered it`, () => {
      assert.deepEqual(opened(row).content.rendered, { subject: 'Stored subject', text: 'Stored text.' })
    })
  }

  it('takes the channel from the type where the row names none', () => {
    for (const channel of [null, '']) {
      assert.equal(opened(queuedRow({ channel })).message.channel, 'email')
      const sms = { channel, type: 2, recipient: '+4930901820', data: { body: 'x' } }
      assert.equal(opened(queuedRow(sms)).message.channel, 'sms')
    }
  })

  it('carries the headers of the request, as far as they are headers', () => {
    const stored = { 'User-Agent': ['curl/8'], broken: 'no list' }
    assert.deepEqual(opened(queuedRow({ request_headers: stored })).content.request_headers, {
      'User-Agent': ['curl/8'],
    })
    for (const nothing of [null, {}, 'text'])
      assert.equal(opened(queuedRow({ request_headers: nothing })).content.request_headers, undefined)
  })

  it('names the identity where the model does', () => {
    const data = { subject: 's', body: 'b', identity: { id: '0198f6c2-4e1b-7d3a-9c5e-2f7a1b8d6e40' } }
    assert.equal(opened(queuedRow({ data })).message.identity_id, data.identity.id)
    assert.equal(opened(queuedRow({ data: { ...data, identity: { id: 'x' } } })).message.identity_id, undefined)
  })

  it('says what nobody could take, without the address or the data', () => {
    for (const [row, reason] of [
      [queuedRow({ recipient: 'nobody at all' }), /^recipient: /],
      [queuedRow({ channel: 'pigeon' }), /^channel: expected email or sms$/],
      [queuedRow({ data: { subject: 's', body: 'secret'.repeat(200_000) } }), /^record: larger than 921600 bytes$/],
    ] as const) {
      const record = made(row)
      assert.ok(record.kind === 'problem')
      assert.match(record.reason, reason)
      assert.doesNotMatch(record.reason, /nobody|pigeon|secret/)
    }
  })
})
