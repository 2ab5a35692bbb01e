import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createRestartDelay } from '../../../deploy/local/restart-delay.ts'

describe('createRestartDelay', () => {
  it('doubles from half a second to thirty seconds', () => {
    const delay = createRestartDelay()
    const delays = Array.from({ length: 9 }, () => delay.next(100))
    assert.deepEqual(delays, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  })

  it('begins anew after a life of a minute', () => {
    const delay = createRestartDelay()
    for (let deaths = 0; deaths < 5; deaths++) delay.next(0)
    assert.equal(delay.next(60_000), 500)
    assert.equal(delay.next(0), 1_000)
  })
})
