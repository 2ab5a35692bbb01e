import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { capMemory } from '../../../libs/engine/cap-memory.ts'

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]
const TYPES = [1, 4, 1, 0x60, 0, 0]
const EXPORTS = [7, 5, 1, 1, 0x6d, 2, 0]

function moduleWith(memory: number[]): Uint8Array {
  return Uint8Array.from([...HEADER, ...TYPES, ...memory, ...EXPORTS])
}

describe('capMemory', () => {
  it('adds a maximum to the memory and leaves every other section as it was', () => {
    const capped = capMemory(moduleWith([5, 3, 1, 0, 2]), 1)
    assert.deepEqual([...capped], [...moduleWith([5, 4, 1, 1, 2, 16])])
  })

  it('writes numbers of several bytes', () => {
    const capped = capMemory(moduleWith([5, 4, 1, 0, 0xac, 0x02]), 64)
    assert.deepEqual([...capped], [...moduleWith([5, 6, 1, 1, 0xac, 0x02, 0x80, 0x08])])
  })

  it('replaces a maximum that is there', () => {
    const capped = capMemory(moduleWith([5, 5, 1, 1, 2, 0x80, 0x10]), 1)
    assert.deepEqual([...capped], [...moduleWith([5, 4, 1, 1, 2, 16])])
  })

  it('never falls below what the module starts with, which could not start', () => {
    const capped = capMemory(moduleWith([5, 3, 1, 0, 40]), 1)
    assert.deepEqual([...capped], [...moduleWith([5, 4, 1, 1, 40, 40])])
  })

  it('makes an engine that refuses to grow beyond it', () => {
    const module = new WebAssembly.Module(capMemory(moduleWith([5, 3, 1, 0, 2]), 1))
    const { m } = new WebAssembly.Instance(module, {}).exports as { m: { grow(pages: number): number } }
    assert.equal(m.grow(14), 2)
    assert.throws(() => m.grow(1), RangeError)
  })

  it('throws for bytes without a memory', () => {
    assert.throws(() => capMemory(Uint8Array.from([...HEADER, ...TYPES]), 64), /no memory section/)
    assert.throws(() => capMemory(Uint8Array.from([...HEADER, 1, 0x80]), 64), /ends within a number/)
  })
})
