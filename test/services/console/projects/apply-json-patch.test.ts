import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { applyJsonPatch } from '../../../../services/console/projects/apply-json-patch.ts'

describe('applyJsonPatch', () => {
  const large = 'yz'.repeat(900_000)
  const copies = (count: number, from: string) =>
    Array.from({ length: count }, (_, index) => ({ op: 'copy', from, path: `/copies/${index}` }))

  it('copies what is small as often as one may, whatever stands beside it', () => {
    const started = performance.now()
    const { copies: made } = applyJsonPatch({ a: 'x', large, copies: {} }, copies(1_000, '/a')) as { copies: object }
    assert.equal(Object.keys(made).length, 1_000)
    // Written out whole for each of them, such a document took some twenty.
    assert.ok(performance.now() - started < 10_000)
  })

  it('makes no document that is too large, one copy after the other or by copies of copies', () => {
    const document = { a: { large }, copies: {} }
    const doubling = [copies(1, '/a')[0], { op: 'copy', from: '', path: '/copies/all' }]
    for (const patch of [copies(2, '/a'), doubling])
      assert.throws(() => applyJsonPatch(document, patch), { message: 'body[1]: the document becomes too large' })
  })

  it('names the operation whose source is not there', () => {
    assert.throws(() => applyJsonPatch({ copies: {} }, copies(1, '/none')), {
      message: 'body[0]: from: /none is not there',
    })
  })
})
