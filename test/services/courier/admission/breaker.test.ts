import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DeliveryFailure, FailureClass } from '#libs/delivery'
import { openBreaker } from '../../../../services/courier/admission/breaker.ts'

const failure = (failureClass: FailureClass): DeliveryFailure => ({ class: failureClass, message: 'refused' })
const ANY = Number.POSITIVE_INFINITY

describe('openBreaker', () => {
  it('opens after five distinct messages failed within 30 s', () => {
    const breaker = openBreaker()
    for (let i = 1; i <= 4; i++) breaker.ended(`m-${i}`, failure('network'), i)
    breaker.ended('m-1', failure('network'), 5)
    assert.equal(breaker.allowance(6), ANY, 'the same message again is no further one')
    breaker.ended('m-5', failure('network'), 7)
    assert.equal(breaker.allowance(8), 0)
    assert.deepEqual(breaker.blockage(), { failure: failure('network'), sinceMs: 7, nextProbeAtMs: 5_007 })
  })

  it('stays closed while a success lies between, or the failures are too far apart', () => {
    const breaker = openBreaker()
    for (let i = 0; i < 20; i++) {
      breaker.ended(`m-${i}`, failure('network'), i)
      if (i % 4 === 3) breaker.ended(`s-${i}`, undefined, i)
    }
    assert.equal(breaker.allowance(20), ANY)
    for (let i = 0; i < 20; i++) breaker.ended(`late-${i}`, failure('network'), 100_000 + i * 8_000)
    assert.equal(breaker.allowance(300_000), ANY)
  })

  for (const failureClass of ['auth', 'tls'] as const) {
    it(`opens at once at ${failureClass}`, () => {
      const breaker = openBreaker()
      breaker.ended('m-1', failure(failureClass), 0)
      assert.equal(breaker.allowance(1), 0)
    })
  }

  for (const failureClass of ['permanent_recipient', 'greylisted', 'transient_remote', 'mailbox_full'] as const) {
    it(`takes ${failureClass} for a sign of life`, () => {
      const breaker = openBreaker()
      for (let i = 0; i < 20; i++) breaker.ended(`m-${i}`, failure(failureClass), i)
      assert.equal(breaker.allowance(30), ANY)
    })
  }

  it('lets one probe through after 5 s, then later and later up to a minute', () => {
    const breaker = openBreaker()
    breaker.ended('m-1', failure('auth'), 0)
    let nowMs = 0
    for (const delayMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      assert.equal(breaker.allowance(nowMs + delayMs - 1), 0)
      nowMs += delayMs
      assert.equal(breaker.allowance(nowMs), 1)
      breaker.started(nowMs)
      assert.equal(breaker.allowance(nowMs), 0, 'one at a time')
      breaker.ended('probe', failure('auth'), nowMs)
    }
    assert.equal(breaker.blockage()?.sinceMs, 0)
  })

  it('closes when a probe is answered, and says so once', () => {
    const closed: number[] = []
    const breaker = openBreaker((nowMs) => closed.push(nowMs))
    breaker.ended('m-1', failure('auth'), 0)
    breaker.started(5_000)
    breaker.ended('probe', failure('permanent_recipient'), 5_100)
    assert.equal(breaker.allowance(5_101), ANY)
    breaker.ended('m-2', undefined, 5_200)
    assert.deepEqual(closed, [5_100])
    assert.equal(breaker.blockage(), undefined)
  })

  it('is not prolonged by what was under way when it opened', () => {
    const breaker = openBreaker()
    for (let i = 0; i < 5; i++) breaker.ended(`m-${i}`, failure('network'), 0)
    for (let i = 5; i < 25; i++) breaker.ended(`m-${i}`, failure('network'), 4_000)
    assert.equal(breaker.allowance(5_000), 1)
  })
})
