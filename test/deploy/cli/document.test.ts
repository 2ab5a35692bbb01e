import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { merged, sorted } from '../../../deploy/cli/document.ts'

describe('merged', () => {
  it('merges mappings at every depth, and the later value holds', () => {
    assert.deepEqual(
      merged(
        { courier: { http: { url: 'a', method: 'POST' }, dev: true } },
        { courier: { http: { url: 'b' } }, more: 1 },
      ),
      { courier: { http: { url: 'b', method: 'POST' }, dev: true }, more: 1 },
    )
  })

  it('appends lists', () => {
    assert.deepEqual(merged({ a: [1, 2] }, { a: [2, { b: 3 }] }), { a: [1, 2, 2, { b: 3 }] })
  })

  it('replaces a value of another shape, also by null', () => {
    assert.deepEqual(merged({ a: [1], b: { c: 1 }, d: 1 }, { a: { b: 1 }, b: null, d: [2] }), {
      a: { b: 1 },
      b: null,
      d: [2],
    })
  })

  it('takes __proto__ for a key like any other', () => {
    const result = merged({}, JSON.parse('{"__proto__": {"polluted": true}}')) as Record<string, unknown>
    assert.deepEqual(Object.keys(result), ['__proto__'])
    assert.equal(result.polluted, undefined)
    assert.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
  })
})

describe('sorted', () => {
  it('orders the keys of every mapping and leaves lists as they are', () => {
    assert.equal(JSON.stringify(sorted({ b: [{ d: 1, c: 2 }, 'a'], a: null })), '{"a":null,"b":[{"c":2,"d":1},"a"]}')
  })
})
