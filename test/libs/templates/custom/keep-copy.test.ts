import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keepCopy } from '../../../../libs/templates/custom/keep-copy.ts'

/** A source that the test opens, shuts and counts; 100 ms are its time to live. */
function source() {
  const state = { nowMs: 0, reads: 0, value: { text: 'one' }, error: undefined as Error | undefined }
  const copy = keepCopy(
    async () => {
      state.reads += 1
      if (state.error !== undefined) throw state.error
      return { ...state.value }
    },
    { ttlMs: 100, now: () => state.nowMs },
  )
  return { state, copy }
}

describe('keepCopy', () => {
  it('reads once for everyone as long as the copy is good, then anew', async () => {
    const { state, copy } = source()
    assert.equal(copy.fresh(), undefined)
    const [one, same] = await Promise.all([copy.load(), copy.load()])
    assert.equal(one, same)
    state.nowMs = 99
    assert.equal(copy.fresh(), one)
    assert.equal(await copy.load(), one)
    assert.equal(state.reads, 1)

    state.nowMs = 100
    state.value = { text: 'two' }
    assert.equal(copy.fresh(), undefined)
    assert.deepEqual(await copy.load(), { text: 'two' })
    assert.equal(state.reads, 2)
  })

  it('gives the same object while the content is the same', async () => {
    const { state, copy } = source()
    const one = await copy.load()
    state.nowMs = 100
    assert.equal(await copy.load(), one)
    assert.equal(state.reads, 2)
  })

  it('serves the last copy on while a new one cannot be had, and tries again', async () => {
    const { state, copy } = source()
    await copy.load()
    state.nowMs = 100
    state.error = new Error('gone')
    assert.deepEqual(await copy.load(), { text: 'one' })
    assert.deepEqual(copy.fresh(), { text: 'one' })
    state.nowMs = 200
    state.error = undefined
    state.value = { text: 'two' }
    assert.deepEqual(await copy.load(), { text: 'two' })
  })

  it('throws where there is no copy, for a while without another read', async () => {
    const { state, copy } = source()
    state.error = new Error('gone')
    await assert.rejects(copy.load(), /gone/)
    await assert.rejects(copy.load(), /gone/)
    assert.equal(state.reads, 1)
    state.nowMs = 100
    state.error = undefined
    assert.deepEqual(await copy.load(), { text: 'one' })
  })

  it('waits no longer than it is told: then the last copy, or an error, while the read goes on', async () => {
    const reads: PromiseWithResolvers<{ text: string }>[] = []
    let nowMs = 0
    const copy = keepCopy(
      () => {
        reads.push(Promise.withResolvers())
        return reads.at(-1)!.promise
      },
      { ttlMs: 100, now: () => nowMs },
    )
    await assert.rejects(copy.load(1), /not loaded within 1 ms/)
    reads[0]!.resolve({ text: 'one' })
    assert.deepEqual(await copy.load(), { text: 'one' })
    nowMs = 100
    assert.deepEqual(await copy.load(1), { text: 'one' })
    reads[1]!.resolve({ text: 'two' })
    assert.deepEqual(await copy.load(), { text: 'two' })
    assert.equal(reads.length, 2)
  })
})
