import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CloudEvent, Kafka } from 'cloudevents'
import { isCoded } from '#libs/errors'
import { asMessageId, decodeStatus, encodeStatus, type StatusEvent, statusEventId } from '#libs/messages'

const ID = asMessageId('0192f0c1-7d1a-7c3e-9b52-3f2d8a4b6c01')
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

function sentEvent(): StatusEvent {
  return {
    id: statusEventId(ID, 1, 'sent'),
    traceparent: TRACEPARENT,
    createdBy: TRACEPARENT,
    data: {
      message_id: ID,
      project_id: '00000000-0000-7000-8000-000000000001',
      template_type: 'login_code_valid',
      channel: 'email',
      status: 'sent',
      severity: 'none',
      terminal: true,
      dispatch: 1,
      attempt: 1,
      max_attempts: 6,
      occurred_at: '2026-01-02T03:04:05.678Z',
      queued_at: '2026-01-02T03:04:05.000Z',
      expires_at: '2026-01-02T04:04:05.000Z',
      attempted: true,
      possibly_delivered: false,
      durations_ms: { queue: 3, send: 12, total: 678 },
      lane: 'urgent',
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      worker: 'courier',
    },
  }
}

function asBuffers(headers: Record<string, string>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]))
}

describe('encodeStatus', () => {
  it('is read by the CloudEvents SDK in binary mode', () => {
    const { key, value, headers } = encodeStatus(sentEvent())
    const event = Kafka.toEvent({ headers, body: value, key, value } as never)
    assert.ok(!Array.isArray(event))
    assert.equal(event.id, statusEventId(ID, 1, 'sent'))
    assert.equal(event.type, 'dev.postrider.delivery.sent.v1')
    assert.equal(event.subject, ID)
    assert.ok(event instanceof CloudEvent)
    assert.equal(event.validate(), true)
  })

  it('survives the round trip', () => {
    const { value, headers } = encodeStatus(sentEvent())
    assert.deepEqual(decodeStatus(Buffer.from(value), asBuffers(headers)), sentEvent())
  })
})

describe('decodeStatus', () => {
  const { value, headers } = encodeStatus(sentEvent())
  const broken: [string, string, Record<string, string>][] = [
    ['no JSON', '{', headers],
    ['an unknown type', value, { ...headers, ce_type: 'dev.postrider.delivery.teleported.v1' }],
    ['a type that the data contradicts', value, { ...headers, ce_type: 'dev.postrider.delivery.abandoned.v1' }],
    ['no message id', '{"status":"sent","dispatch":1}', headers],
  ]
  for (const [what, body, given] of broken) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => decodeStatus(Buffer.from(body), asBuffers(given)),
        (error) => isCoded(error, 'STATUS_UNDECODABLE'),
      )
    })
  }
})

describe('statusEventId', () => {
  it('is the same for the same fact and another for any other', () => {
    const ids = [statusEventId(ID, 1, 'sent'), statusEventId(ID, 2, 'sent'), statusEventId(ID, 1, 'deferred')]
    assert.equal(statusEventId(ID, 1, 'sent'), ids[0])
    assert.equal(new Set(ids).size, 3)
    assert.match(ids[0]!, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})
