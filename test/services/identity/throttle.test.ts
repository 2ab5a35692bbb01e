import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openThrottle } from '../../../services/identity/throttle.ts'

describe('openThrottle', () => {
  it('lets so many through per window and says how long to wait', () => {
    const throttle = openThrottle({ requests: 2, windowMs: 60_000 })
    assert.deepEqual(
      [0, 1_000, 2_000, 59_999].map((now) => throttle.take('10.0.0.1', now)),
      [0, 0, 58_000, 1],
    )
    assert.equal(throttle.take('10.0.0.1', 60_000), 0)
    assert.equal(throttle.take('10.0.0.2', 2_000), 0)
  })

  for (const [one, other, same] of [
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:1:2:3', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:0DB8:0:0:5::', true],
    ['::1', '::2', true],
    ['fe80::1', '::1', false],
  ] as const) {
    it(`counts ${one} and ${other} ${same ? 'as one client' : 'apart'}`, () => {
      const throttle = openThrottle({ requests: 1, windowMs: 60_000 })
      throttle.take(one, 0)
      assert.equal(throttle.take(other, 0) > 0, same)
    })
  }

  it('forgets the oldest client when there is no room for another', () => {
    const throttle = openThrottle({ requests: 1, windowMs: 60_000, maxClients: 2 })
    for (const ip of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) assert.equal(throttle.take(ip, 0), 0)
    assert.equal(throttle.take('10.0.0.3', 1), 59_999)
    assert.equal(throttle.take('10.0.0.1', 1), 0)
  })
})
