import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import '#libs/bus'
import { inUse, original } from './kafkajs-original.ts'

const Decoder = inUse('protocol/decoder.js')
const { RecordBatch } = inUse('protocol/recordBatch/v0/index.js')
const Record = inUse('protocol/recordBatch/record/v0/index.js')
const decodeMessages = inUse('protocol/requests/fetch/v4/decodeMessages.js')

const GZIP = 1

async function batchOf(values: readonly string[], firstOffset: number, compression = 0): Promise<Buffer> {
  const records = values.map((value, offsetDelta) =>
    Record({ key: value, value, offsetDelta, headers: { name: value } }),
  )
  const batch = await RecordBatch({ records, firstOffset, compression, lastOffsetDelta: values.length - 1 })
  return batch.buffer
}

/** As a fetch answers it: a length, then batches. */
function answerOf(...batches: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(4), ...batches])
  bytes.writeInt32BE(bytes.length - 4)
  return bytes
}

describe('the patched fetch protocol', () => {
  it('is what kafkajs uses', () => {
    const path = 'protocol/recordBatch/v0/decoder.js'
    assert.notEqual(String(inUse(path)), String(original(path)))
  })

  it('reads plain and compressed batches in order, and leaves out the one that is cut off', async () => {
    const cut = (await batchOf(['f', 'g'], 5)).subarray(0, -1)
    const bytes = answerOf(
      await batchOf(['a', 'b'], 0),
      await batchOf(['c', 'd'], 2, GZIP),
      await batchOf(['e'], 4),
      cut,
    )
    const found: { offset: string; value: Buffer; headers: object }[] = await decodeMessages(new Decoder(bytes))
    assert.deepEqual(
      found.map(({ offset, value }) => offset + value),
      ['0a', '1b', '2c', '3d', '4e'],
    )
    assert.deepEqual(
      found.map(({ headers }) => headers),
      [...'abcde'].map((name) => ({ name: Buffer.from(name) })),
    )
  })

  it('reads an answer with nothing but the beginning of a batch as none', async () => {
    const bytes = answerOf((await batchOf(['a'], 0)).subarray(0, 65))
    assert.deepEqual(await decodeMessages(new Decoder(bytes)), [])
  })
})
