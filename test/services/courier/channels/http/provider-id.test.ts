import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { providerIdOf } from '../../../../../services/courier/channels/http/provider-id.ts'

function idOf(body: string, headers: Record<string, string> = {}): string | undefined {
  return providerIdOf(headers, Buffer.from(body), 'ada@example.org')
}

describe('providerIdOf', () => {
  for (const field of ['id', 'messageId', 'MessageID', 'message_id', 'sid']) {
    it(`finds it as ${field}`, () => assert.equal(idOf(JSON.stringify({ status: 'queued', [field]: 'p-1' })), 'p-1'))
  }

  it('finds it in a header, and as a number, and without brackets', () => {
    assert.equal(idOf('', { 'x-message-id': 'p-1' }), 'p-1')
    assert.equal(idOf('{"id":17}'), '17')
    assert.equal(idOf('{"id":"<20260102.1@mail.example.net>"}'), '20260102.1@mail.example.net')
  })

  it('takes nothing else for one', () => {
    const bodies = ['', 'ok', '{', '[{"id":"1"}]', '{"id":{"a":1}}', '{"id":""}', '{"id":"a b"}', '{"id":"a\\nb"}']
    for (const body of [...bodies, JSON.stringify({ id: 'x'.repeat(256) }), '{"id":"to-Ada@example.org"}']) {
      assert.equal(idOf(body), undefined, body)
    }
  })
})
