import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import '#libs/bus'
import { inUse, messages, original } from './kafkajs-original.ts'

const REQUEST = 'protocol/requests/produce/v3/request.js'
const Encoder = inUse('protocol/encoder.js')
const Long = inUse('utils/long.js')
const theirs = original(REQUEST)
const createRequest = inUse('protocol/request.js')
const requestV7 = inUse('protocol/requests/produce/v7/request.js')

const FIELDS = { acks: -1, timeout: 8_000, producerId: Long.fromInt(77), producerEpoch: 3 }

function topicsOf(...given: readonly object[]) {
  return [{ topic: 'tøpic', partitions: [{ partition: 3, firstSequence: 12, messages: given }] }]
}

/** Both write the time into the batch. */
function stopClock(t: TestContext): void {
  t.mock.timers.enable({ apis: ['Date'], now: 1_760_000_000_000 })
}

/** The whole request as it goes over the wire. */
async function encode(request: object, clientId = 'relay'): Promise<Buffer> {
  return (await createRequest({ correlationId: 5, clientId, request })).buffer
}

async function agree(fields: object, clientId?: string): Promise<void> {
  const request = requestV7({ ...FIELDS, ...fields })
  const expected = { ...request, encode: theirs({ ...FIELDS, ...fields }).encode }
  assert.ok((await encode(request, clientId)).equals(await encode(expected, clientId)))
}

describe('the patched produce request', () => {
  it('is what kafkajs uses, and keeps the rest of the request', () => {
    const request = requestV7({ ...FIELDS, topicData: topicsOf({ value: 'v' }) })
    assert.equal(request.apiVersion, 7)
    assert.equal(request.expectResponse(), true)
    assert.notEqual(String(inUse(REQUEST)), String(theirs))
  })

  it('is the one of kafkajs, byte for byte', async (t) => {
    stopClock(t)
    const partition = fc.record({ partition: fc.nat(99), firstSequence: fc.nat(), messages })
    const topic = fc.record({ topic: fc.string(), partitions: fc.array(partition, { maxLength: 3 }) })
    await fc.assert(
      fc.asyncProperty(fc.array(topic, { maxLength: 3 }), async (topicData) => agree({ topicData })),
      { numRuns: 20 },
    )
  })

  it('is the one of kafkajs without a producer id and with any client id', async (t) => {
    stopClock(t)
    const topicData = topicsOf({ value: 'v' })
    await agree({ topicData, producerId: undefined, producerEpoch: undefined })
    for (const size of [0, 241, 242, 243, 500, 1_000]) await agree({ topicData }, 'c'.repeat(size))
  })

  it('is left to kafkajs where it is out of the ordinary', async (t) => {
    stopClock(t)
    await agree({ topicData: topicsOf({ value: 'v' }), compression: 1 })
    await agree({ topicData: topicsOf({ value: 'v' }), transactionalId: 'id' })
    await agree({ topicData: topicsOf({ value: 'v', timestamp: '1750000000000' }, { value: 'w' }) })
    await agree({ topicData: topicsOf({ value: 'v', headers: { name: ['a', 'b'] } }) })
  })

  it('does not change when it is encoded again', async (t) => {
    stopClock(t)
    const request = requestV7({ ...FIELDS, topicData: topicsOf({ value: 'v' }) })
    const first = await encode(request)
    const copy = Buffer.from(first)
    assert.ok((await encode(request, 'another')).length > copy.length)
    assert.ok(first.equals(copy))
  })

  it('can be wrapped in any way an encoder can', async () => {
    const request = requestV7({ ...FIELDS, topicData: topicsOf({ value: 'v' }) })
    const payload = Buffer.from((await request.encode()).buffer)
    const inner = new Encoder()
      .writeInt8(1)
      .writeEncoder(await request.encode())
      .writeInt8(2)
    const outer = new Encoder().writeInt8(3).writeEncoder(inner).writeInt8(4)
    assert.deepEqual(outer.buffer, Buffer.concat([Buffer.from([3, 1]), payload, Buffer.from([2, 4])]))
  })

  it('rejects a value that is no bytes, as kafkajs does', async () => {
    await assert.rejects(encode(requestV7({ ...FIELDS, topicData: topicsOf({ value: 7 }) })), TypeError)
  })
})

describe('the patched grouping by partition', () => {
  const group = inUse('producer/groupMessagesPerPartition.js')
  const partitioner = ({ message }: { message: { partition: number } }) => message.partition

  it('keeps the order within each partition', () => {
    const given = [1, 0, 1, 2, 0].map((partition, index) => ({ partition, value: String(index) }))
    const fields = { topic: 'topic', partitionMetadata: [{}], messages: given, partitioner }
    assert.deepEqual(group(fields), original('producer/groupMessagesPerPartition.js')(fields))
  })

  it('sends nothing where no partition is known', () => {
    assert.deepEqual(group({ topic: 'topic', partitionMetadata: [], messages: [{}], partitioner }), {})
  })
})
