import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { tokensOf, valueAtPointer } from '../../../deploy/cli/json-pointer.ts'

/** The document and the values of RFC 6901, section 5. */
const DATA = {
  foo: ['bar', 'baz'],
  '': 0,
  'a/b': 1,
  'c%d': 2,
  'e^f': 3,
  'g|h': 4,
  'i\\j': 5,
  'k"l': 6,
  ' ': 7,
  'm~n': 8,
}

describe('valueAtPointer', () => {
  for (const [pointer, expected] of [
    ['', DATA],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
  ] as const) {
    it(`finds ${JSON.stringify(pointer)}`, () => assert.deepEqual(valueAtPointer(DATA, pointer), expected))
  }

  it('turns ~01 into ~1 and no slash', () => {
    assert.equal(valueAtPointer({ '~1': 'yes' }, '/~01'), 'yes')
  })

  it('names the first part that leads nowhere', () => {
    for (const [pointer, place] of [
      ['/foo/2/deep', '/foo/2'],
      ['/foo/01', '/foo/01'],
      ['/foo/-', '/foo/-'],
      ['/nobody/at/home', '/nobody'],
      ['/constructor', '/constructor'],
    ] as const) {
      const message = `jsonpointer ${pointer}: there is nothing at ${place}`
      assert.throws(() => valueAtPointer(DATA, pointer), { message })
    }
  })
})

describe('tokensOf', () => {
  it('refuses what is no pointer', () => {
    assert.throws(() => tokensOf('foo'), /starts with \//)
    assert.throws(() => tokensOf('/a~b'), /~ is written ~0/)
  })
})
