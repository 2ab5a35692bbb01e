import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openStopwatch } from '../../../../services/courier/channels/stopwatch.ts'

describe('openStopwatch', () => {
  it('splits time into phases, of which one may come back', (t) => {
    let nowMs = 1_000
    t.mock.method(performance, 'now', () => nowMs)
    const watch = openStopwatch()
    nowMs += 5
    watch.begin('tcp')
    nowMs += 10
    watch.begin('auth')
    nowMs += 20
    watch.begin('tls')
    nowMs += 40
    watch.begin('auth')
    nowMs += 80
    assert.deepEqual(watch.end(), { tcp: 10, auth: 100, tls: 40 })
  })

  it('stands still once it is ended', (t) => {
    let nowMs = 1_000
    t.mock.method(performance, 'now', () => nowMs)
    const watch = openStopwatch()
    assert.deepEqual(watch.end(), {})
    watch.begin('dns')
    nowMs += 3
    watch.end()
    nowMs += 50
    assert.deepEqual(watch.end(), { dns: 3 })
  })
})
