import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openPace, type Pace } from '../../../../services/courier/admission/pace.ts'

/** Sends whatever is allowed, each taking no time, from `fromMs` for `seconds`. @returns how many */
function run(pace: Pace, fromMs: number, seconds: number): number {
  let sent = 0
  for (let nowMs = fromMs; nowMs < fromMs + seconds * 1_000; nowMs += 10) {
    for (let allowed = pace.allowance(0, nowMs); allowed > 0; allowed -= 1) {
      pace.started(nowMs)
      sent += 1
    }
  }
  return sent
}

describe('openPace', () => {
  it('limits nothing but concurrency while nobody throttles', () => {
    const pace = openPace(20)
    assert.equal(pace.allowance(0, 0), 20)
    assert.equal(pace.allowance(18, 0), 2)
    assert.equal(pace.allowance(25, 0), 0)
    assert.equal(pace.ratePerSecond(), undefined)
  })

  it('halves the rate that was too much, and keeps to it', () => {
    const pace = openPace(20)
    for (let i = 0; i < 200; i++) pace.started(1_000 + i * 5)
    pace.throttled(2_000)
    assert.equal(pace.ratePerSecond(), 100)
    const sent = run(pace, 2_000, 4)
    assert.ok(sent >= 390 && sent <= 430, `${sent} in 4 s`)
  })

  it('takes many refusals of one moment for one', () => {
    const pace = openPace(20)
    for (let i = 0; i < 100; i++) pace.started(1_000)
    for (let i = 0; i < 20; i++) pace.throttled(1_500 + i)
    assert.equal(pace.ratePerSecond(), 50)
    pace.throttled(2_600)
    assert.equal(pace.ratePerSecond(), 25)
  })

  it('never falls below one mail a second', () => {
    const pace = openPace(20)
    for (let i = 0; i < 30; i++) pace.throttled(i * 2_000)
    assert.equal(pace.ratePerSecond(), 1)
    assert.ok(run(pace, 60_000, 4) >= 4)
  })

  it('grows again in quiet, and forgets the limit', () => {
    const pace = openPace(20)
    for (let i = 0; i < 100; i++) pace.started(1_000)
    pace.throttled(1_500)
    run(pace, 1_500, 15)
    const grown = pace.ratePerSecond() ?? Number.POSITIVE_INFINITY
    assert.ok(grown > 100 && grown < 200, `${grown}`)
    run(pace, 16_500, 60)
    assert.equal(pace.ratePerSecond(), undefined)
  })

  it('ramps from a tenth to the whole within a minute of an outage', () => {
    const pace = openPace(20)
    pace.recovered(0)
    const allowed = [0, 15_000, 30_000, 45_000, 60_000].map((nowMs) => pace.allowance(0, nowMs))
    assert.deepEqual(allowed, [2, 6, 11, 15, 20])
  })

  it('lets at least one through at once', () => {
    const pace = openPace(3)
    pace.recovered(0)
    assert.equal(pace.allowance(0, 0), 1)
  })
})
