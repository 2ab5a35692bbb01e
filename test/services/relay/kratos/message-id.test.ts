import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { asMessageId, idTimeMs } from '#libs/messages'
import { idBaseMs, kratosMessageId } from '../../../../services/relay/kratos/message-id.ts'

const HOUR_MS = 3_600_000
const NOW_MS = Date.parse('2030-01-31T12:00:00Z')
const KRATOS_ID = '2f1c1a52-7d6e-4a3c-9e55-0c6b1f0f3a11'

describe('idBaseMs', () => {
  it('is the creation where an id may say so', () => {
    for (const createdMs of [NOW_MS, NOW_MS - 22 * HOUR_MS, NOW_MS + 60_000])
      assert.equal(idBaseMs(createdMs, NOW_MS), createdMs)
  })

  it('is moved into the last 24 h and to at most 5 min ahead, with room to wait for Kafka', () => {
    assert.equal(idBaseMs(NOW_MS - 90 * HOUR_MS, NOW_MS), NOW_MS - 23 * HOUR_MS)
    assert.equal(idBaseMs(NOW_MS + HOUR_MS, NOW_MS), NOW_MS + 240_000)
  })

  it('leaves an old code older than a new one', () => {
    assert.ok(idBaseMs(NOW_MS - 90 * HOUR_MS, NOW_MS) < idBaseMs(NOW_MS - 20 * HOUR_MS, NOW_MS))
  })
})

describe('kratosMessageId', () => {
  it('has the shape of every id, and the instant inside', () => {
    const id = kratosMessageId(KRATOS_ID, 1, NOW_MS)
    assert.equal(idTimeMs(asMessageId(id)), NOW_MS)
  })

  it('is the same for the same row and generation, another one for every other', () => {
    assert.equal(kratosMessageId(KRATOS_ID, 1, NOW_MS), kratosMessageId(KRATOS_ID, 1, NOW_MS))
    const other = KRATOS_ID.replace('2', '3')
    const ids = [
      kratosMessageId(KRATOS_ID, 1, NOW_MS),
      kratosMessageId(KRATOS_ID, 2, NOW_MS),
      kratosMessageId(other, 1, NOW_MS),
    ]
    assert.equal(new Set(ids).size, 3)
  })
})
