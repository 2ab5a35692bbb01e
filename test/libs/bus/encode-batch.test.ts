import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type BatchMessage, measureBatch, writeBatch } from '../../../libs/bus/encode-batch.ts'
import { messages, original } from './kafkajs-original.ts'

const { RecordBatch } = original('protocol/recordBatch/v0/index.js')
const Record = original('protocol/recordBatch/record/v0/index.js')
const decodeTheirs = original('protocol/recordBatch/v0/decoder.js')
const Decoder = original('protocol/decoder.js')

const HEADER = { timestampMs: 1_760_000_000_123, producerId: 2n ** 40n + 7n, producerEpoch: 300, firstSequence: 70_000 }

function encode(given: readonly BatchMessage[], room = 0): Buffer {
  const measured = measureBatch(given)
  assert.ok(measured !== undefined)
  const target = Buffer.alloc(room + measured.sizeBytes, 0xaa)
  assert.equal(writeBatch(target, room, measured, HEADER), target.length)
  return target.subarray(room)
}

async function encodeTheirs(given: readonly BatchMessage[]): Promise<Buffer> {
  const { timestampMs, ...header } = HEADER
  const batch = await RecordBatch({
    ...header,
    records: given.map((message, offsetDelta) => Record({ ...message, offsetDelta, timestampDelta: 0 })),
    firstTimestamp: timestampMs,
    maxTimestamp: timestampMs,
    lastOffsetDelta: given.length - 1,
  })
  return batch.buffer
}

describe('writeBatch', () => {
  it('writes what kafkajs writes, byte for byte, wherever it begins', async () => {
    const property = fc.asyncProperty(messages, fc.nat(9), async (given, room) => {
      assert.ok(encode(given, room).equals(await encodeTheirs(given)))
    })
    await fc.assert(property)
  })

  it('writes 500 records of several kilobytes as kafkajs does', async () => {
    const given = Array.from({ length: 500 }, (_, index) => ({
      key: `key ${index}`,
      value: index % 2 === 0 ? 'é'.repeat(4_000) : Buffer.alloc(3_000, index),
      headers: { index: String(index), long: 'y'.repeat(300) },
    }))
    assert.ok(encode(given).equals(await encodeTheirs(given)))
  })

  it('writes what the decoder of kafkajs reads', async () => {
    const headers = { name: 'värde', empty: '' }
    const given = [
      { key: null, value: 'one', headers },
      { key: '', value: null },
      { key: 'k', value: Buffer.from([0, 255]) },
    ]
    const { records } = await decodeTheirs(new Decoder(encode(given)))
    const found = records.map(({ key, value, offset, timestamp }: Record<string, unknown>) => [
      key,
      value,
      offset,
      timestamp,
    ])
    assert.deepEqual(found, [
      [null, Buffer.from('one'), '0', '1760000000123'],
      [Buffer.alloc(0), null, '1', '1760000000123'],
      [Buffer.from('k'), Buffer.from([0, 255]), '2', '1760000000123'],
    ])
    assert.deepEqual(records[0].headers, { name: Buffer.from('värde'), empty: Buffer.alloc(0) })
  })
})

describe('measureBatch', () => {
  it('declines timestamps of one’s own, repeated headers and values that are no bytes', () => {
    const plain = { value: 'v' }
    assert.ok(measureBatch([plain]) !== undefined)
    assert.equal(measureBatch([plain, { value: 'v', timestamp: '1760000000000' }]), undefined)
    assert.equal(measureBatch([plain, { value: 'v', headers: { name: ['a', 'b'] } }]), undefined)
    assert.equal(measureBatch([plain, { value: 'v', headers: { name: 7 } }]), undefined)
    assert.equal(measureBatch([plain, { value: 'v', headers: { name: null } }]), undefined)
  })
})
