import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { crc32c } from '../../../libs/bus/crc32c.ts'
import { original } from './kafkajs-original.ts'

describe('crc32c', () => {
  it('gives the values of RFC 3720, B.4', () => {
    assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
    assert.equal(crc32c(Buffer.alloc(32)), 0x8a9136aa)
    assert.equal(crc32c(Buffer.alloc(32, 0xff)), 0x62a8ab43)
    assert.equal(crc32c(Buffer.alloc(0)), 0)
  })

  it('agrees with kafkajs on any part of any bytes, at any alignment', () => {
    const theirs = original('protocol/recordBatch/crc32C/index.js')
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(40), fc.nat(400), (array, from, size) => {
        const start = Math.min(from, array.length)
        const end = Math.min(start + size, array.length)
        const shared = Buffer.concat([Buffer.alloc(from & 7), array]).subarray(from & 7)
        assert.equal(crc32c(shared, start, end), theirs(shared.subarray(start, end)))
      }),
    )
  })
})
