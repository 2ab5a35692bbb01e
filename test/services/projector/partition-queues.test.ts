import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openPartitionQueues } from '../../../services/projector/partition-queues.ts'

const record = (offset: number) => ({ offset, key: null, value: null, headers: {}, timestampMs: 0 })
const records = (...offsets: number[]) => offsets.map(record)

function setup(capacity = 100) {
  return openPartitionQueues({ capacity, decode: () => ({ event: undefined, problem: '' }) })
}

/** Whether `promise` is settled once everything that is ready has run. */
async function isSettled(promise: Promise<void> | undefined): Promise<boolean> {
  let settled = promise === undefined
  promise?.then(() => {
    settled = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  return settled
}

describe('openPartitionQueues', () => {
  it('takes in nothing of a partition whose stored offset is not loaded', () => {
    const queues = setup()
    queues.add('t', 0, records(0, 1))
    assert.deepEqual(queues.take(10), [])
  })

  it('drops what was applied already and what came twice', () => {
    const queues = setup()
    queues.open('t', 0, 5)
    queues.add('t', 0, records(3, 4, 5, 6))
    queues.add('t', 0, records(6, 7, 9))
    assert.deepEqual(
      queues.take(10).map((entry) => entry.record.offset),
      [5, 6, 7, 9],
    )
    queues.add('t', 0, records(7, 9, 10))
    assert.deepEqual(
      queues.take(10).map((entry) => entry.record.offset),
      [10],
    )
  })

  it('gives every partition its turn', () => {
    const queues = setup()
    queues.open('t', 0, 0)
    queues.open('t', 1, 0)
    queues.add('t', 0, records(0, 1, 2, 3))
    queues.add('t', 1, records(0, 1, 2, 3))
    const turns = [queues.take(3), queues.take(3)].map((taken) => taken[0]?.queue.partition)
    assert.deepEqual(new Set(turns), new Set([0, 1]))
  })

  it('is ready at once when something waits, else as soon as it comes', async () => {
    const queues = setup()
    queues.open('t', 0, 0)
    const ready = queues.ready()
    assert.equal(await isSettled(ready), false)
    queues.add('t', 0, records(0))
    assert.equal(await isSettled(ready), true)
    assert.equal(await isSettled(queues.ready()), true)
  })

  it('holds back whoever brings more than there is room for, until some is taken', async () => {
    const queues = setup(3)
    queues.open('t', 0, 0)
    assert.equal(queues.add('t', 0, records(0, 1)), undefined)
    const held = queues.add('t', 0, records(2, 3))
    assert.equal(await isSettled(held), false)
    queues.take(2)
    assert.equal(await isSettled(held), true)
  })

  it('forgets a partition that is given up, also what was taken of it before', () => {
    const queues = setup()
    queues.open('t', 0, 0)
    queues.add('t', 0, records(0, 1))
    const [first] = queues.take(1)
    queues.close()
    assert.deepEqual(queues.take(10), [])
    assert.equal(first?.queue.active, false)
    queues.open('t', 0, 1)
    queues.add('t', 0, records(1))
    assert.equal(queues.take(10).length, 1)
  })

  it('lets everyone go on when it stops', async () => {
    const queues = setup(1)
    queues.open('t', 0, 0)
    const ready = queues.ready()
    queues.stop()
    assert.equal(await isSettled(ready), true)
    assert.equal(queues.add('t', 0, records(0)), undefined)
  })
})
