import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openAttributeSets, openTally } from '#libs/telemetry'
import { openMeter } from './memory-meter.ts'

describe('openTally', () => {
  it('counts by attributes, and tells sums only when they are read', async () => {
    const { meter, read } = openMeter()
    const tally = openTally(meter, 'things', { unit: '{thing}', description: 'Things' })
    tally.add('a', () => ({ kind: 'a' }))
    tally.add('a', () => ({ kind: 'a' }), 4)
    tally.add('b', () => ({ kind: 'b' }), 2)
    assert.deepEqual(await read('things'), { 'kind=a': 5, 'kind=b': 2 })
    assert.deepEqual(await read('things'), { 'kind=a': 5, 'kind=b': 2 })
  })

  it('has what is known beforehand from the start, at 0', async () => {
    const { meter, read } = openMeter()
    const tally = openTally(meter, 'things', {
      unit: '{thing}',
      description: 'Things',
      from: [{ stage: 'x', step: 'y' }],
    })
    assert.deepEqual(await read('things'), { 'stage=x,step=y': 0 })
    tally.add('x y', () => ({ stage: 'other' }))
    assert.deepEqual(await read('things'), { 'stage=x,step=y': 1 })
  })
})

describe('openAttributeSets', () => {
  it('makes each set once', () => {
    const setOf = openAttributeSets()
    const first = setOf('a', () => ({ kind: 'a' }))
    assert.equal(
      setOf('a', () => assert.fail('made twice')),
      first,
    )
  })
})
