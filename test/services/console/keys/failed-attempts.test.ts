import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openFailedAttempts } from '../../../../services/console/keys/failed-attempts.ts'

describe('openFailedAttempts', () => {
  it('makes a client wait after too many, until the window ends, and no other one', () => {
    let nowMs = 1_000
    const attempts = openFailedAttempts({ attempts: 2, windowMs: 60_000 }, () => nowMs)
    attempts.failed('a')
    assert.equal(attempts.waitMs('a', 'key'), 0)
    nowMs += 1_000
    attempts.failed('a')
    assert.equal(attempts.waitMs('a', 'key'), 59_000)
    assert.equal(attempts.waitMs('b', 'key'), 0)
    nowMs += 59_000
    assert.equal(attempts.waitMs('a', 'key'), 0)
    attempts.failed('a')
    assert.equal(attempts.waitMs('a', 'key'), 0)
  })

  it('lets a key pass that was good before, whatever others at the same address do', () => {
    const attempts = openFailedAttempts({ attempts: 1, windowMs: 60_000 }, () => 1_000)
    attempts.passed('good')
    attempts.failed('a')
    assert.equal(attempts.waitMs('a', 'good'), 0)
    assert.ok(attempts.waitMs('a', 'other') > 0)
  })

  it('stays bounded', () => {
    const attempts = openFailedAttempts({ attempts: 1, windowMs: 60_000 }, () => 1_000)
    for (let i = 0; i < 10_001; i++) attempts.failed(`client-${i}`)
    assert.equal(attempts.waitMs('client-0', 'key'), 0)
    assert.ok(attempts.waitMs('client-10000', 'key') > 0)
  })
})
