import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { openQueue } from '../../../services/courier/queue.ts'

describe('openQueue', () => {
  it('gives back what it got, in order, however pushes and shifts alternate', () => {
    const steps = fc.array(fc.integer({ min: -1_500, max: 1_500 }), { maxLength: 20 })
    fc.assert(
      fc.property(steps, (counts) => {
        const queue = openQueue<number>()
        const model: number[] = []
        let next = 0
        for (const count of counts) {
          for (let i = 0; i < count; i++) {
            queue.push(next)
            model.push(next++)
          }
          for (let i = count; i < 0; i++) {
            assert.equal(queue.peek(), model[0])
            assert.equal(queue.shift(), model.shift())
          }
          assert.equal(queue.size, model.length)
        }
      }),
      { numRuns: 50 },
    )
  })
})
