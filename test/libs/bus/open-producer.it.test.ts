import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openProducer } from '#libs/bus'
import { isCoded } from '#libs/errors'
import { readTopic } from '../../support/read-topic.ts'
import { freePort, waitFor } from '../../support/servers.ts'
import { log, openDoor, openTestTopic, recordsOf } from './kafka-fixture.ts'

describe('openProducer', () => {
  it('writes key, value and headers to the given partition', async (t) => {
    const { brokers, topic, producer } = await openTestTopic(t, { partitions: 2 })
    const { send } = await producer()
    await send(topic, 1, [{ key: 'k', value: Buffer.from('v'), headers: { ce_id: 'i' } }])
    const [record, ...more] = await readTopic(brokers.join(','), topic)
    assert.equal(more.length, 0)
    assert.equal(record?.partition, 1)
    assert.deepEqual([String(record.key), String(record.value), String(record.headers.ce_id)], ['k', 'v', 'i'])
  })

  it('keeps the order of sends that are under way at the same time, and loses none', async (t) => {
    const { brokers, topic, producer } = await openTestTopic(t, { partitions: 2 })
    const { send } = await producer()
    const values = Array.from({ length: 1_500 }, (_, n) => String(n))
    await Promise.all(values.map((value) => send(topic, Number(value) % 2, recordsOf(value))))
    const records = await readTopic(brokers.join(','), topic)
    for (const partition of [0, 1]) {
      const written = records.filter((record) => record.partition === partition).map(({ value }) => String(value))
      assert.deepEqual(
        written,
        values.filter((value) => Number(value) % 2 === partition),
      )
    }
  })

  it('writes a call of more records than one batch holds in their order', async (t) => {
    const { brokers, topic, producer } = await openTestTopic(t)
    const { send } = await producer()
    const values = Array.from({ length: 1_300 }, (_, n) => String(n))
    await send(topic, 0, recordsOf(...values))
    const records = await readTopic(brokers.join(','), topic)
    assert.deepEqual(
      records.map(({ value }) => String(value)),
      values,
    )
  })

  it('refuses the record that is too large, names it, and writes all others', async (t) => {
    const { brokers, topic, producer } = await openTestTopic(t, { config: { 'max.message.bytes': '20000' } })
    const { send } = await producer()
    const large = { key: 'large', value: 'x'.repeat(30_000), headers: {} }
    const neighbour = send(topic, 0, recordsOf('a'))
    const refused = send(topic, 0, [...recordsOf('b'), large, ...recordsOf('c')])
    const after = send(topic, 0, recordsOf('d'))
    await assert.rejects(refused, (error) => {
      assert.ok(isCoded(error, 'PRODUCE_REFUSED'))
      assert.deepEqual(error.details, { refused: [1] })
      assert.ok(!error.message.includes('xxx'))
      return true
    })
    await Promise.all([neighbour, after])
    const records = await readTopic(brokers.join(','), topic)
    assert.deepEqual(
      records.map(({ value }) => String(value)),
      ['a', 'b', 'c', 'd'],
    )
  })

  it('refuses none of the records that are only too large together', async (t) => {
    const { brokers, topic, producer } = await openTestTopic(t, { config: { 'max.message.bytes': '20000' } })
    const { send } = await producer()
    await send(
      topic,
      0,
      Array.from({ length: 10 }, (_, n) => ({ key: String(n), value: 'x'.repeat(9_000), headers: {} })),
    )
    const records = await readTopic(brokers.join(','), topic)
    assert.deepEqual(
      records.map(({ key }) => String(key)),
      Array.from({ length: 10 }, (_, n) => String(n)),
    )
  })

  it('starts while Kafka is away and fails a send at its deadline', async () => {
    const brokers = [`127.0.0.1:${await freePort()}`]
    await using producer = await openProducer({ brokers, clientId: 'test', log, deadlineMs: 700 })
    const startedAtMs = performance.now()
    await assert.rejects(producer.send('nowhere', 0, recordsOf('a')), (error) => isCoded(error, 'PRODUCE_FAILED'))
    assert.ok(performance.now() - startedAtMs >= 690)
  })

  it('keeps what is sent while Kafka is away, and writes it when Kafka comes', async (t) => {
    const { brokers, topic } = await openTestTopic(t)
    const port = await freePort()
    await using producer = await openProducer({ brokers: [`127.0.0.1:${port}`], clientId: 'test', log })
    const sent = producer.send(topic, 0, recordsOf('a', 'b'))
    await openDoor(t, port, brokers[0]!)
    await sent
    assert.equal((await readTopic(brokers.join(','), topic)).length, 2)
  })

  it('fails a send to a partition that does not exist, and the producer goes on', async (t) => {
    const { brokers, topic } = await openTestTopic(t)
    await using producer = await openProducer({ brokers, clientId: 'test', log, deadlineMs: 3_000 })
    const failed = producer.send(topic, 9, recordsOf('a'))
    await producer.send(topic, 0, recordsOf('b'))
    await assert.rejects(failed, (error) => isCoded(error, 'PRODUCE_FAILED'))
    await producer.send(topic, 0, recordsOf('c'))
    assert.equal((await readTopic(brokers.join(','), topic)).length, 2)
  })

  it('writes what is under way before it is closed, and nothing after', async (t) => {
    const { brokers, topic, producer } = await openTestTopic(t)
    const closed = await producer()
    const underWay = closed.send(topic, 0, recordsOf('a'))
    await closed[Symbol.asyncDispose]()
    await underWay
    await assert.rejects(closed.send(topic, 0, recordsOf('b')), (error) => isCoded(error, 'PRODUCER_CLOSED'))
    assert.equal((await readTopic(brokers.join(','), topic)).length, 1)
  })

  it('has no timer while it is idle', async (t) => {
    const { topic, producer } = await openTestTopic(t)
    const { send } = await producer()
    await send(topic, 0, recordsOf('a'))
    await waitFor(() => !process.getActiveResourcesInfo().includes('Timeout'), { message: 'a timer stays armed' })
  })
})
