import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { openDeadline } from '../../../../../services/courier/channels/smtp/deadline.ts'

/** A deadline, and a clock that only moves when told. */
function setUp(t: TestContext) {
  let now = 0
  let due = 0
  t.mock.timers.enable({ apis: ['setTimeout'] })
  t.mock.method(performance, 'now', () => now)
  const deadline = openDeadline(() => {
    due++
  })
  const advance = (ms: number): number => {
    for (let step = 0; step < ms; step++) {
      now++
      t.mock.timers.tick(1)
    }
    return due
  }
  return { deadline, advance }
}

describe('openDeadline', () => {
  it('is due when its time is over, not a moment before, and once', (t) => {
    const { deadline, advance } = setUp(t)
    deadline.set(100)
    assert.equal(advance(99), 0)
    assert.equal(advance(1), 1)
    assert.equal(advance(1_000), 1)
  })

  it('moves later and earlier', (t) => {
    const { deadline, advance } = setUp(t)
    deadline.set(100)
    advance(90)
    deadline.set(100)
    assert.equal(advance(99), 0)
    deadline.set(50)
    deadline.set(10)
    assert.equal(advance(9), 0)
    assert.equal(advance(1), 1)
    deadline.set(30)
    assert.equal(advance(29), 1)
    assert.equal(advance(1), 2)
  })

  it('is never due after it was cleared, unless set again', (t) => {
    const { deadline, advance } = setUp(t)
    deadline.set(10)
    deadline.clear()
    assert.equal(advance(100), 0)
    deadline.set(10)
    assert.equal(advance(10), 1)
  })
})
