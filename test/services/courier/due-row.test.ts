import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openDueRow } from '../../../services/courier/due-row.ts'
import { claimedDelivery } from './deliveries.ts'

describe('openDueRow', () => {
  it('counts by channel what fell due, until it leaves', () => {
    const row = openDueRow()
    const [first, second, other] = [claimedDelivery(), claimedDelivery(), claimedDelivery()]
    row.add(first, 'email')
    row.add(second, 'email')
    row.add(other, 'sms')
    assert.deepEqual([row.size, row.sizeOf('email'), row.sizeOf('sms'), row.sizeOf('fax')], [3, 2, 1, 0])
    assert.deepEqual([row.remove(first), row.remove(first), row.remove(claimedDelivery())], [true, false, false])
    assert.deepEqual([row.size, row.sizeOf('email')], [2, 1])
    row.clear()
    assert.deepEqual([row.size, row.sizeOf('email'), row.sizeOf('sms')], [0, 0, 0])
  })
})
