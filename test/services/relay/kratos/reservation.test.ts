import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idTimeMs } from '#libs/messages'
import { reservationOf } from '../../../../services/relay/kratos/reservation.ts'
import { queuedRow, TRACEPARENT } from './rows.ts'

const DAY_MS = 24 * 3_600_000
const MINUTE_MS = 60_000

describe('reservationOf', () => {
  it('begins with generation 1, at the time of the row', () => {
    const row = queuedRow()
    const { generation, messageId, kratosId, traceparent } = reservationOf(row, undefined, TRACEPARENT)
    assert.deepEqual([generation, kratosId, traceparent], [1, row.id, TRACEPARENT])
    assert.equal(idTimeMs(messageId), row.created_at.getTime())
  })

  it('keeps what was reserved while the message is under way, whenever it is asked again', () => {
    const row = queuedRow()
    const first = reservationOf(row, undefined, TRACEPARENT)
    const later = { ...row, now: new Date(row.now.getTime() + 2 * DAY_MS) }
    assert.equal(reservationOf(later, first, 'another'), first)
  })

  it('makes another message of a row that was queued again after its end', () => {
    const row = queuedRow()
    const first = { ...reservationOf(row, undefined, TRACEPARENT), isEnded: true }
    const second = reservationOf(row, first, TRACEPARENT)
    assert.equal(second.generation, 2)
    assert.notEqual(second.messageId, first.messageId)
    // Still older than a code that was made after it.
    assert.equal(idTimeMs(second.messageId), row.created_at.getTime())
  })

  it('lets a code die when Kratos said so, counted from its making', () => {
    const row = queuedRow({ template_type: 'login_code_valid', data: { login_code: '123456', expires_in_minutes: 15 } })
    const { expiresAt } = reservationOf(row, undefined, TRACEPARENT)
    assert.equal(expiresAt.getTime(), row.created_at.getTime() + 15 * MINUTE_MS)
  })

  it('gives a day to what names no end, counted from its taking, and 5 days at most', () => {
    for (const [data, lifeMs] of [
      [{}, DAY_MS],
      [{ expires_in_minutes: 0 }, DAY_MS],
      ['no JSON', DAY_MS],
      [{ expires_in_minutes: 60 * 24 * 30 }, 5 * DAY_MS],
    ] as const) {
      const row = queuedRow({ data, created_at: new Date('2030-01-28T00:00:00Z') })
      assert.equal(reservationOf(row, undefined, TRACEPARENT).expiresAt.getTime(), row.now.getTime() + lifeMs)
    }
  })
})
