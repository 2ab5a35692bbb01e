import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { ensureTopics, openProducer } from '#libs/bus'
import { encodeMessage, type MessageRecord } from '#libs/messages'
import { openDeadLetter } from '../../../services/courier/dead-letter.ts'
import type { Delivery } from '../../../services/courier/delivery.ts'
import { openRecordStream, type RecordStreamOptions } from '../../../services/courier/record-stream.ts'
import { readTopic } from '../../support/read-topic.ts'
import { testKafka, waitFor } from '../../support/servers.ts'
import { recordOf, silent, TRACEPARENT } from './deliveries.ts'

/** A lane with one partition, a producer on it, and couriers that only take notes. */
async function setup(t: TestContext) {
  const { brokers: list, prefix } = testKafka()
  const brokers = list.split(',')
  const [topic, dead, groupId] = [`${prefix}messages`, `${prefix}dead`, `${prefix}group`]
  await ensureTopics({
    brokers,
    topics: [topic, dead].map((name) => ({ name, partitions: 1, replication: 1, config: {} })),
  })
  const producer = await openProducer({ brokers, clientId: 'test', log: silent })
  t.after(() => producer[Symbol.asyncDispose]())
  const produce = (value: string, headers: Record<string, string> = {}) =>
    producer.send(topic, 0, [{ key: 'k', value, headers }])

  async function courier(more: Partial<RecordStreamOptions> = {}) {
    const deliveries: Delivery[] = []
    let setAside = 0
    const stream = await openRecordStream({
      brokers,
      topic,
      groupId,
      clientId: 'test',
      window: 100,
      telemetry: { log: silent },
      accept: (given) => void deliveries.push(...given),
      deadLetter: openDeadLetter({ producer, topic: dead, partitions: 1 }),
      onSetAside: () => {
        setAside += 1
      },
      onFatal: (error) => {
        throw error
      },
      ...more,
    })
    t.after(() => stream[Symbol.asyncDispose]())
    return { stream, deliveries, setAside: () => setAside }
  }

  const committed = async (): Promise<number> => {
    const admin = new Kafka({ clientId: 'test', brokers, logLevel: logLevel.NOTHING }).admin()
    await admin.connect()
    const [found] = await admin.fetchOffsets({ groupId, topics: [topic] })
    await admin.disconnect()
    return Number(found?.partitions[0]?.offset ?? -1)
  }
  const send = async (record: MessageRecord = recordOf()): Promise<string> => {
    await produce(encodeMessage(record), { traceparent: TRACEPARENT, tracestate: 'vendor=1' })
    return record.id
  }
  return { list, dead, produce, send, courier, committed }
}

const idsOf = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ record }) => record.id)

describe('openRecordStream', () => {
  it('hands over records as open deliveries, with their trace', async (t) => {
    const { send, courier } = await setup(t)
    const { stream, deliveries } = await courier()
    const id = await send()
    const delivery = await waitFor(() => deliveries[0])
    assert.deepEqual([delivery.record.id, delivery.traceparent, delivery.tracestate], [id, TRACEPARENT, 'vendor=1'])
    assert.deepEqual([delivery.stage, delivery.handedOver, stream.owns(delivery)], ['waiting', false, true])
    assert.deepEqual([...stream.open], [delivery])
    assert.equal(stream.isAssigned(), true)
  })

  it('gives a record without a usable context one of its own, and drops a tracestate that is no line of ASCII', async (t) => {
    const { produce, courier } = await setup(t)
    const { deliveries } = await courier()
    await produce(encodeMessage(recordOf()), { traceparent: 'nonsense', tracestate: 'a=1\nb=2\0' })
    const delivery = await waitFor(() => deliveries[0])
    assert.match(delivery.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    assert.equal(delivery.tracestate, '')
  })

  it('commits only what is contiguous, and redelivers the rest to the next one', async (t) => {
    const { send, courier, committed } = await setup(t)
    const { stream, deliveries } = await courier()
    const ids: string[] = []
    for (let i = 0; i < 4; i++) ids.push(await send())
    await waitFor(() => deliveries.length === 4)
    for (const done of [3, 0, 2]) stream.finish(deliveries[done]!)
    assert.deepEqual([...stream.open], [deliveries[1]])
    await stream[Symbol.asyncDispose]()
    assert.equal(await committed(), 1)

    const next = await courier()
    await waitFor(() => next.deliveries.length === 3)
    assert.deepEqual(idsOf(next.deliveries), ids.slice(1))
    for (const delivery of next.deliveries) next.stream.finish(delivery)
    await waitFor(async () => (await committed()) === 4)
  })

  it('sets an undecodable record aside, original bytes and origin, completes its offset and goes on', async (t) => {
    const { list, dead, produce, send, courier, committed } = await setup(t)
    const { stream, deliveries, setAside } = await courier()
    await produce('{"id": "none', { note: 'kept' })
    const id = await send()
    const delivery = await waitFor(() => deliveries[0])
    assert.equal(delivery.record.id, id)
    stream.finish(delivery)
    await waitFor(async () => (await committed()) === 2)
    const [record] = await readTopic(list, dead)
    const headers = Object.fromEntries(
      Object.entries(record?.headers ?? {}).map(([name, value]) => [name, String(value)]),
    )
    assert.deepEqual([String(record?.value), String(record?.key)], ['{"id": "none', 'k'])
    assert.deepEqual([headers['x-source-offset'], headers['x-source-partition'], headers.note], ['0', '0', 'kept'])
    assert.match(headers['x-reason'] ?? '', /expected a JSON object/)
    assert.equal(setAside(), 1)
  })

  it('keeps the offset of an undecodable record open until its bytes are durable', async (t) => {
    const { produce, send, courier, committed } = await setup(t)
    const gate = Promise.withResolvers<void>()
    let trials = 0
    const deadLetter = async () => {
      trials += 1
      if (trials === 1) throw new Error('not acknowledged in time')
      await gate.promise
    }
    const { stream, deliveries } = await courier({ deadLetter })
    await produce('no JSON')
    await send()
    stream.finish(await waitFor(() => deliveries[0]))
    await waitFor(() => trials === 2)
    assert.equal(await committed(), -1)
    gate.resolve()
    await waitFor(async () => (await committed()) === 2)
  })

  it('blocks at the window: further records wait in Kafka until half of it is done', async (t) => {
    const { send, courier, committed } = await setup(t)
    const { stream, deliveries } = await courier({ window: 4 })
    const ids: string[] = []
    const sendOne = async (): Promise<void> => {
      ids.push(await send())
    }
    for (let i = 1; i <= 4; i++) {
      await sendOne()
      await waitFor(() => deliveries.length === i)
    }
    await sendOne()
    await sendOne()
    stream.finish(deliveries[0]!)
    // Round trips to Kafka: whatever could come has come.
    await waitFor(async () => (await committed()) === 1)
    assert.equal(deliveries.length, 4)
    stream.finish(deliveries[1]!)
    await waitFor(() => deliveries.length === 6)
    assert.deepEqual(idsOf(deliveries), ids)
  })

  it('gives partitions up and does not complete what came before: its new owner does', async (t) => {
    const { send, courier, committed } = await setup(t)
    const first = await courier()
    const ids = [await send(), await send()]
    await waitFor(() => first.deliveries.length === 2)
    await first.stream[Symbol.asyncDispose]()
    const second = await courier()
    await waitFor(() => second.deliveries.length === 2)
    for (const delivery of first.deliveries) first.stream.finish(delivery)
    assert.equal(first.stream.open.size, 0)
    assert.equal(await committed(), -1)
    second.stream.finish(second.deliveries[0]!)
    await waitFor(async () => (await committed()) === 1)
    assert.deepEqual(idsOf(second.deliveries), ids)
  })

  it('stopped, takes no more', async (t) => {
    const { send, courier } = await setup(t)
    const { stream, deliveries } = await courier()
    await send()
    await waitFor(() => deliveries.length === 1)
    stream.stop()
    const id = await send()
    await stream[Symbol.asyncDispose]()
    assert.equal(deliveries.length, 1)
    const next = await courier()
    await waitFor(() => idsOf(next.deliveries).includes(id))
  })
})
