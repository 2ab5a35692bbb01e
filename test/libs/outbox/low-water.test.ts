import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lowWaterAfter, type OutboxSample, openFrontier } from '#libs/outbox'

function sample(seq: number, xmin: number, xid: number): OutboxSample {
  return { seq, xmin: BigInt(xmin), xid: BigInt(xid) }
}

function frontierAfter(...samples: readonly OutboxSample[]): number | undefined {
  const frontier = openFrontier()
  for (const one of samples) frontier.add(one)
  return frontier.value
}

describe('openFrontier', () => {
  it('knows nothing after one sample, nor after two', () => {
    assert.equal(frontierAfter(sample(10, 5, 5)), undefined)
    assert.equal(frontierAfter(sample(10, 5, 5), sample(20, 6, 6)), undefined)
  })

  it('trails two samples behind, since places are drawn between a snapshot and its reading of them', () => {
    assert.equal(frontierAfter(sample(10, 5, 5), sample(20, 6, 6), sample(30, 7, 7)), 11)
  })

  it('waits for every transaction that had its number before the next sample', () => {
    const running = [sample(10, 5, 9), sample(20, 5, 12), sample(30, 5, 15)]
    assert.equal(frontierAfter(...running), undefined)
    assert.equal(frontierAfter(...running, sample(40, 12, 16)), undefined)
    assert.equal(frontierAfter(...running, sample(40, 13, 16)), 11)
    assert.equal(frontierAfter(...running, sample(40, 16, 17)), 21)
  })

  it('goes on from the newest samples when a long transaction ends', () => {
    const frontier = openFrontier()
    for (let i = 1; i <= 1_000; i++) frontier.add(sample(i * 10, 5, 5 + i))
    assert.equal(frontier.value, undefined)
    frontier.add(sample(20_000, 2_000, 2_000))
    assert.equal(frontier.value, 9_991)
    frontier.add(sample(20_010, 2_001, 2_001))
    assert.equal(frontier.value, 10_001)
  })

  it('forgets', () => {
    const frontier = openFrontier()
    for (const one of [sample(10, 5, 5), sample(20, 6, 6), sample(30, 7, 7)]) frontier.add(one)
    frontier.forget()
    assert.equal(frontier.value, undefined)
    for (const one of [sample(15, 8, 8), sample(16, 9, 9)]) frontier.add(one)
    assert.equal(frontier.value, undefined)
  })
})

describe('lowWaterAfter', () => {
  it('is the bottom while the frontier is unknown', () => assert.equal(lowWaterAfter(undefined, 7), 0))
  it('is never above the frontier', () => assert.equal(lowWaterAfter(5, 7), 5))
  it('is never above a row that is still there', () => assert.equal(lowWaterAfter(9, 7), 7))
  it('is the frontier of an empty shard', () => assert.equal(lowWaterAfter(9, undefined), 9))
})
