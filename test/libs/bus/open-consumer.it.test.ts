import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openConsumer } from '#libs/bus'
import { freePort, waitFor } from '../../support/servers.ts'
import { log, openDoor, openTestTopic, recordsOf, valuesOf } from './kafka-fixture.ts'

/** The broker's minimum. */
const SESSION_MS = 6_000

describe('openConsumer', () => {
  it('hands over records in order per partition, with key, value, headers and time', async (t) => {
    const { topic, producer, member } = await openTestTopic(t, { partitions: 2 })
    const { send } = await producer()
    const { records } = await member()
    const values = Array.from({ length: 600 }, (_, n) => String(n))
    await Promise.all(values.map((value) => send(topic, Number(value) % 2, recordsOf(value))))
    await waitFor(() => records.length === values.length)
    for (const partition of [0, 1]) {
      const ofPartition = records.filter((record) => record.partition === partition)
      assert.deepEqual(
        valuesOf(ofPartition),
        values.filter((value) => Number(value) % 2 === partition),
      )
      assert.deepEqual(
        ofPartition.map(({ offset }) => offset),
        Array.from({ length: 300 }, (_, n) => n),
      )
    }
    const first = records.find(({ value }) => String(value) === '0')!
    assert.equal(String(first.key), '0')
    assert.equal(String(first.headers.name), '0')
    assert.ok(Math.abs(first.timestampMs - Date.now()) < 60_000)
  })

  it('tells committed and earliest offsets on joining, before any record', async (t) => {
    const { topic, producer, member, deleteBefore, committed } = await openTestTopic(t, { partitions: 2 })
    await (await producer()).send(topic, 0, recordsOf('a', 'b', 'c', 'd'))
    await deleteBefore(1)
    const first = await member()
    await waitFor(() => first.records.length === 3)
    assert.deepEqual(first.joins[0], [
      { topic, partition: 0, committed: -1, earliest: 1, end: 4 },
      { topic, partition: 1, committed: -1, earliest: 0, end: 0 },
    ])
    first.consumer.commit(topic, 0, 3)
    await first[Symbol.asyncDispose]()
    await committed(0, 3)

    let recordsAtJoin = -1
    const second = await member({
      onAssigned: async () => {
        await new Promise((resolve) => setImmediate(resolve))
        recordsAtJoin = second?.records.length ?? 0
      },
    })
    await waitFor(() => second.records.length === 1)
    assert.equal(recordsAtJoin, 0)
    assert.deepEqual(second.joins[0]?.[0], { topic, partition: 0, committed: 3, earliest: 1, end: 4 })
    assert.deepEqual(valuesOf(second.records), ['d'])
  })

  it('shares the partitions among members, and a member that leaves is followed at its committed offset', async (t) => {
    const { topic, producer, member } = await openTestTopic(t, { partitions: 4 })
    const { send } = await producer()
    const first = await member()
    const second = await member()
    await waitFor(() => first.held().length === 2 && second.held().length === 2, { timeoutMs: 20_000 })
    for (const partition of [0, 1, 2, 3]) await send(topic, partition, recordsOf('done', 'open'))
    await waitFor(() => first.records.length === 4 && second.records.length === 4)
    const left = second.held()
    for (const partition of left) second.consumer.commit(topic, partition, 1)
    await second[Symbol.asyncDispose]()

    await waitFor(() => first.held().length === 4, { timeoutMs: 20_000 })
    await waitFor(() => left.every((partition) => first.records.some((record) => record.partition === partition)))
    for (const partition of left) {
      const taken = first.records.filter((record) => record.partition === partition)
      assert.deepEqual(valuesOf(taken), ['open'])
    }
  })

  it('counts epochs up, and redelivers what was not committed under the new one', async (t) => {
    const { topic, producer, member } = await openTestTopic(t, { partitions: 2 })
    await (await producer()).send(topic, 0, recordsOf('a'))
    const first = await member()
    await waitFor(() => first.records.length === 1)
    const second = await member()
    await waitFor(() => first.joins.length >= 2 && second.joins.length > 0, { timeoutMs: 20_000 })
    await second[Symbol.asyncDispose]()
    await waitFor(() => first.held().length === 2 && first.records.length >= 2, { timeoutMs: 20_000 })
    const epochs = first.records.map(({ epoch }) => epoch)
    assert.ok(epochs.at(-1)! > epochs[0]!)
    assert.equal(new Set(epochs).size, epochs.length, 'a record came twice in one epoch')
  })

  it('commits in the background, and never backwards', async (t) => {
    const { topic, producer, member, committed } = await openTestTopic(t)
    await (await producer()).send(topic, 0, recordsOf('a', 'b', 'c'))
    const { consumer, records } = await member()
    await waitFor(() => records.length === 3)
    consumer.commit(topic, 0, 2)
    consumer.commit(topic, 0, 1)
    consumer.commit(topic, 7, 9)
    await committed(0, 2)
    consumer.commit(topic, 0, 1)
    consumer.commit(topic, 0, 3)
    await committed(0, 3)
  })

  it('goes on where it is told to when it joins, and again later', async (t) => {
    const { topic, producer, member } = await openTestTopic(t)
    await (await producer()).send(topic, 0, recordsOf('a', 'b', 'c', 'd'))
    const sought = await member({ onAssigned: () => sought.consumer.seek(topic, 0, 2) })
    await waitFor(() => sought.records.length === 2)
    assert.deepEqual(valuesOf(sought.records), ['c', 'd'])
    sought.consumer.seek(topic, 0, 1)
    await waitFor(() => sought.records.length === 5)
    assert.deepEqual(valuesOf(sought.records.slice(2)), ['b', 'c', 'd'])
  })

  it('starts over at the earliest offset when the position does not exist', async (t) => {
    const { topic, producer, member } = await openTestTopic(t)
    await (await producer()).send(topic, 0, recordsOf('a', 'b'))
    const lost = await member({
      onAssigned: (_, { epoch }) => {
        if (epoch === 1) lost.consumer.seek(topic, 0, 1_000)
      },
    })
    await waitFor(() => lost.records.length === 2, { timeoutMs: 20_000 })
    assert.deepEqual(valuesOf(lost.records), ['a', 'b'])
    assert.deepEqual(lost.joins.at(-1), [{ topic, partition: 0, committed: -1, earliest: 0, end: 2 }])
  })

  it('passes records that were deleted before they were read', async (t) => {
    const { topic, producer, member, deleteBefore } = await openTestTopic(t)
    const { send } = await producer()
    await send(topic, 0, recordsOf('a', 'b', 'c'))
    await deleteBefore(2)
    const passing = await member({ onAssigned: () => passing.consumer.seek(topic, 0, 1) })
    await waitFor(() => passing.records.length === 1, { timeoutMs: 20_000 })
    assert.deepEqual(valuesOf(passing.records), ['c'])
  })

  it('stays a member while its handler waits longer than the session lasts', async (t) => {
    const { topic, producer, member } = await openTestTopic(t)
    const { send } = await producer()
    const room = Promise.withResolvers<void>()
    const seen: string[] = []
    const { joins } = await member({
      sessionTimeoutMs: SESSION_MS,
      onRecords: async (_topic, _partition, records) => {
        seen.push(...valuesOf(records))
        await room.promise
      },
    })
    await send(topic, 0, recordsOf('a'))
    await waitFor(() => seen.length === 1)
    await send(topic, 0, recordsOf('b'))
    const endsAtMs = Date.now() + SESSION_MS * 1.5
    await waitFor(() => Date.now() > endsAtMs, { timeoutMs: SESSION_MS * 2 })
    assert.deepEqual(seen, ['a'], 'records came although there was no room')
    room.resolve()
    await waitFor(() => seen.length === 2)
    assert.deepEqual(seen, ['a', 'b'])
    assert.equal(joins.length, 1, 'the member was thrown out')
  })

  it('gives up its partitions at once when a member joins while its handler waits', async (t) => {
    const { topic, producer, member } = await openTestTopic(t, { partitions: 2 })
    const { send } = await producer()
    const full = await member({ onRecords: () => new Promise<void>(() => undefined) })
    await waitFor(() => full.held().length === 2)
    await send(topic, 0, recordsOf('a'))
    const other = await member()
    await waitFor(() => other.held().length === 1 && full.held().length === 1, { timeoutMs: 20_000 })
  })

  it('tells a failing owner once and hands over nothing more', async (t) => {
    const { topic, producer, member } = await openTestTopic(t)
    const { send } = await producer()
    const fatal: unknown[] = []
    let calls = 0
    await member({
      onFatal: (error) => fatal.push(error),
      onRecords: () => {
        calls++
        throw new Error('a bug')
      },
    })
    await send(topic, 0, recordsOf('a'))
    await waitFor(() => fatal.length > 0)
    await send(topic, 0, recordsOf('b'))
    assert.equal(fatal.length, 1)
    assert.equal(calls, 1)
    assert.match(String(fatal[0]), /a bug/)
  })

  it('waits for a topic that does not exist yet', async (t) => {
    const { brokers, topic, groupId, producer, admin } = await openTestTopic(t)
    const late = `${topic}.late`
    let records = 0
    await using _consumer = await openConsumer({
      brokers,
      groupId,
      clientId: 'test',
      topics: [late],
      log,
      onFatal: (error) => {
        throw error
      },
      onAssigned: () => undefined,
      onRevoked: () => undefined,
      onRecords: (_topic, _partition, batch) => {
        records += batch.length
      },
    })
    await admin((client) => client.createTopics({ topics: [{ topic: late }], waitForLeaders: false }))
    await (await producer()).send(late, 0, recordsOf('a'))
    await waitFor(() => records === 1, { timeoutMs: 20_000 })
  })

  it('joins when Kafka comes after it', async (t) => {
    const { brokers, topic, producer, member } = await openTestTopic(t)
    await (await producer()).send(topic, 0, recordsOf('a'))
    const port = await freePort()
    const { records } = await member({ brokers: [`127.0.0.1:${port}`] })
    await openDoor(t, port, brokers[0]!)
    await waitFor(() => records.length === 1, { timeoutMs: 20_000 })
  })

  it('opens and closes while Kafka is away, without a fatal error', async () => {
    const fatal: unknown[] = []
    const consumer = await openConsumer({
      brokers: [`127.0.0.1:${await freePort()}`],
      groupId: 'nobody',
      clientId: 'test',
      topics: ['nowhere'],
      log,
      onFatal: (error) => fatal.push(error),
      onAssigned: () => undefined,
      onRevoked: () => undefined,
      onRecords: () => undefined,
    })
    await consumer[Symbol.asyncDispose]()
    assert.deepEqual(fatal, [])
  })
})
