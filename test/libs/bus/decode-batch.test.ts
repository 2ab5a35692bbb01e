import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type DecodedRecord, decodeBatch, sizeOfBatch } from '../../../libs/bus/decode-batch.ts'
import { messages, original } from './kafkajs-original.ts'

const { RecordBatch } = original('protocol/recordBatch/v0/index.js')
const Record = original('protocol/recordBatch/record/v0/index.js')
const decodeTheirs = original('protocol/recordBatch/v0/decoder.js')
const Decoder = original('protocol/decoder.js')

const ATTRIBUTES_AT = 21
const LOG_APPEND_TIME = 8
const CONTROL = 32

interface Given {
  readonly firstOffset?: bigint
  readonly firstTimestamp?: bigint
  /** Added to those of the batch. */
  readonly deltas?: readonly (number | bigint)[]
  readonly transactional?: boolean
  readonly attributes?: number
}

async function encode(
  given: readonly object[],
  { deltas = [], attributes = 0, ...header }: Given = {},
): Promise<Buffer> {
  const batch = await RecordBatch({
    firstTimestamp: 1_760_000_000_000n,
    maxTimestamp: 1_760_000_000_999n,
    producerId: 9n,
    ...header,
    records: given.map((message, index) =>
      Record({ ...message, offsetDelta: index, timestampDelta: deltas[index] ?? 0 }),
    ),
    lastOffsetDelta: given.length - 1,
  })
  const bytes = Buffer.from(batch.buffer)
  bytes.writeInt16BE(bytes.readInt16BE(ATTRIBUTES_AT) | attributes, ATTRIBUTES_AT)
  return bytes
}

async function agree(bytes: Buffer): Promise<void> {
  assert.deepEqual(decodeBatch(bytes, 0), await decodeTheirs(new Decoder(bytes)))
}

async function recordOf(message: object): Promise<DecodedRecord> {
  const record = decodeBatch(await encode([message]), 0)?.records[0]
  assert.ok(record !== undefined)
  return record
}

describe('decodeBatch', () => {
  it('reads what kafkajs reads', async () => {
    const int64 = fc.bigInt({ min: -1n, max: 2n ** 62n })
    const header = fc.record({
      firstOffset: fc.oneof(int64, fc.constant(2n ** 53n - 2n)),
      firstTimestamp: int64,
      deltas: fc.array(fc.oneof(fc.integer(), fc.bigInt({ min: -(2n ** 61n), max: 2n ** 61n }))),
      transactional: fc.boolean(),
      attributes: fc.constantFrom(0, LOG_APPEND_TIME, CONTROL, LOG_APPEND_TIME | CONTROL),
    })
    const property = fc.asyncProperty(messages, header, async (given, fields) => agree(await encode(given, fields)))
    await fc.assert(property)
  })

  it('keeps every value of a repeated header, in order', async () => {
    const headers = { a: ['1', '2', '3'], b: ['4', '5'], c: '6' }
    await agree(
      await encode([
        { value: 'v', headers },
        { value: 'w', headers: { b: '7' } },
      ]),
    )
  })

  it('does not take a name that begins like the expected one for it', async () => {
    const named = (name: string) => ({ value: 'v', headers: { [name]: 'x' } })
    await agree(await encode(['name', 'names', 'nam', 'näme', 'n\0me', 'name'].map(named)))
  })

  it('takes names that every object has for headers like others', async () => {
    const headers = JSON.parse('{"__proto__":"p","constructor":"c","toString":"t"}')
    const found = (await recordOf({ value: 'v', headers })).headers
    const expected = ['__proto__', 'constructor', 'toString'].map((name) => [
      name,
      Buffer.from(name[2] === 'p' ? 'p' : name[0]!),
    ])
    assert.deepEqual(Object.entries(found), expected)
    assert.equal(Object.getPrototypeOf(found), Object.prototype)
  })

  it('reads a batch in the middle of others, and how long it is', async () => {
    const [before, batch, after] = await Promise.all(['1', '2', '3'].map((value) => encode([{ value }])))
    const bytes = Buffer.concat([before!, batch!, after!])
    assert.equal(sizeOfBatch(bytes, before!.length), batch!.length)
    assert.deepEqual(
      decodeBatch(bytes, before!.length)?.records.map(({ value }) => String(value)),
      ['2'],
    )
  })

  it('gives views, not copies', async () => {
    const bytes = await encode([{ key: 'key', value: 'value' }])
    assert.equal(decodeBatch(bytes, 0)?.records[0]?.value?.buffer, bytes.buffer)
  })

  it('declines a batch that is cut off anywhere, and a compressed one', async () => {
    const bytes = await encode([{ value: 'v' }, { value: 'w' }])
    for (let size = 0; size < bytes.length; size++) assert.equal(decodeBatch(bytes.subarray(0, size), 0), undefined)
    assert.equal(decodeBatch(await encode([{ value: 'v' }], { attributes: 1 }), 0), undefined)
  })

  it('refuses a record that reaches beyond its batch', async () => {
    const bytes = await encode([{ value: 'v' }])
    bytes[61] = 0x7e
    assert.throws(() => decodeBatch(Buffer.concat([bytes, bytes]), 0), /beyond its batch/)
  })
})
