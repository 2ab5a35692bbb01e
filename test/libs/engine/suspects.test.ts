import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EngineJob } from '../../../libs/engine/answer.ts'
import { openSuspects } from '../../../libs/engine/suspects.ts'

function jobOf(source: string, context = '{}'): EngineJob {
  return { operation: 'jsonnet', inputs: [source, context] }
}

describe('openSuspects', () => {
  it('remembers a source, whatever it is given, for a minute', () => {
    let nowMs = 0
    const suspects = openSuspects(() => nowMs)
    suspects.add(jobOf('slow'))
    assert.equal(suspects.has(jobOf('slow', '{"other":1}')), true)
    assert.equal(suspects.has(jobOf('quick')), false)
    nowMs = 59_999
    assert.equal(suspects.has(jobOf('slow')), true)
    nowMs = 60_000
    assert.equal(suspects.has(jobOf('slow')), false)
  })

  it('counts the minute from the last time', () => {
    let nowMs = 0
    const suspects = openSuspects(() => nowMs)
    suspects.add(jobOf('slow'))
    nowMs = 50_000
    suspects.add(jobOf('slow'))
    nowMs = 100_000
    assert.equal(suspects.has(jobOf('slow')), true)
  })

  it('forgets the oldest when there are more than a thousand', () => {
    const suspects = openSuspects(() => 0)
    for (let i = 0; i <= 1_000; i += 1) suspects.add(jobOf(`slow ${i}`))
    assert.equal(suspects.has(jobOf('slow 0')), false)
    assert.equal(suspects.has(jobOf('slow 1')), true)
    assert.equal(suspects.has(jobOf('slow 1000')), true)
  })
})
