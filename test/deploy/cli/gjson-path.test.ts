import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { valueAtPath } from '../../../deploy/cli/gjson-path.ts'

const DATA = {
  name: { first: 'Ada' },
  'fav.movie': 'Brazil',
  empty: null,
  friends: [
    { first: 'Bob', nets: ['a', 'b'] },
    { first: 'Cy', nets: ['c'] },
    { nick: 'D', 'x.y': 1 },
  ],
}

describe('valueAtPath', () => {
  for (const [path, expected] of [
    ['name.first', 'Ada'],
    ['name', { first: 'Ada' }],
    ['fav\\.movie', 'Brazil'],
    ['empty', null],
    ['friends.1.first', 'Cy'],
    ['friends.#', 3],
    ['friends.#.first', ['Bob', 'Cy']],
    ['friends.#.nets.0', ['a', 'c']],
    ['friends.#.nets.#', [2, 1]],
    ['friends.#.x\\.y', [1]],
  ] as const) {
    it(`finds ${path}`, () => assert.deepEqual(valueAtPath(DATA, path), expected))
  }

  it('finds nothing where there is nothing', () => {
    for (const path of ['nobody', 'name.first.letter', 'friends.3', 'friends.-1', 'friends.first', 'constructor']) {
      assert.equal(valueAtPath(DATA, path), undefined, path)
    }
  })

  it('refuses syntax that it does not know instead of finding nothing', () => {
    for (const path of ['friends.#(first="Bob")', 'na*', 'name|first', '@keys', '{name}', 'n?me']) {
      assert.throws(() => valueAtPath(DATA, path), /is not supported in a path; allowed are keys/, path)
    }
  })
})
