import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { oneAtATime } from '../../../services/courier/one-at-a-time.ts'

function setup() {
  const runs: PromiseWithResolvers<void>[] = []
  const call = oneAtATime(() => {
    const run = Promise.withResolvers<void>()
    runs.push(run)
    return run.promise
  })
  return { runs, call }
}

describe('oneAtATime', () => {
  it('runs once more for all who call meanwhile, and after them again', async () => {
    const { runs, call } = setup()
    const first = call()
    const meanwhile = [call(), call(), call()]
    assert.equal(runs.length, 1)
    runs[0]!.resolve()
    await first
    assert.equal(runs.length, 2)
    const later = call()
    runs[1]!.resolve()
    await Promise.all(meanwhile)
    assert.equal(runs.length, 3)
    runs[2]!.resolve()
    await later
    const alone = call()
    assert.equal(runs.length, 4)
    runs[3]!.resolve()
    await alone
  })

  it('tells a failure to those it concerns, and goes on', async () => {
    const { runs, call } = setup()
    const [first, second] = [call(), call()]
    runs[0]!.reject(new Error('away'))
    await assert.rejects(first, /away/)
    runs[1]!.resolve()
    await second
  })
})
