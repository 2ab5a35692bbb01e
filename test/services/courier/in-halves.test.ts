import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { inHalves } from '../../../services/courier/in-halves.ts'
import { silent } from './deliveries.ts'

const REFUSED = Object.assign(new Error('invalid byte sequence'), { code: '22021' })
const AWAY = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' })

/** A table that refuses a whole batch for one bad row. */
function table(bad: (item: number) => boolean, onWrite: () => void = () => undefined) {
  return async (items: readonly number[]): Promise<number[]> => {
    onWrite()
    if (items.some(bad)) throw REFUSED
    return [...items]
  }
}

describe('inHalves', () => {
  it('writes everything but the culprits, in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 9 })), async (items) => {
        const written = await inHalves(
          items,
          table((item) => item === 3),
          silent,
        )
        assert.deepEqual(
          written,
          items.filter((item) => item !== 3),
        )
      }),
    )
  })

  it('writes a sound batch in one statement', async () => {
    let writes = 0
    const sound = table(
      () => false,
      () => {
        writes += 1
      },
    )
    await inHalves([1, 2, 3, 4], sound, silent)
    assert.equal(writes, 1)
  })

  it('does not halve when the database is away', async () => {
    let writes = 0
    const away = async (): Promise<number[]> => {
      writes += 1
      throw AWAY
    }
    await assert.rejects(inHalves([1, 2, 3, 4], away, silent), AWAY)
    assert.equal(writes, 1)
  })
})
