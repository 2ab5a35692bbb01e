import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type InRecord, readTopic } from '#libs/bus'
import { waitFor } from '../../support/servers.ts'
import { log, openTestTopic, recordsOf, valuesOf } from './kafka-fixture.ts'

type Topic = Awaited<ReturnType<typeof openTestTopic>>

async function read(
  { brokers, topic, groupId }: Topic,
  sinceMs = 0,
  onRecord: (record: InRecord) => unknown = () => undefined,
) {
  const byPartition = new Map<number, InRecord[]>()
  await readTopic({
    brokers,
    clientId: 'test',
    topic,
    groupPrefix: `${groupId}-`,
    sinceMs,
    log,
    onRecords: async (partition, records) => {
      byPartition.set(partition, [...(byPartition.get(partition) ?? []), ...records])
      for (const record of records) onRecord(record)
    },
  })
  return byPartition
}

describe('readTopic', () => {
  it('hands over every record once, in order per partition, and leaves no group behind', async (t) => {
    const fixture = await openTestTopic(t, { partitions: 3 })
    const { send } = await fixture.producer()
    const values = Array.from({ length: 900 }, (_, n) => String(n))
    // The third partition stays empty.
    await Promise.all(values.map((value) => send(fixture.topic, Number(value) % 2, recordsOf(value))))
    const found = await read(fixture)
    assert.deepEqual([...found.keys()].sort(), [0, 1])
    for (const [partition, records] of found) {
      assert.deepEqual(
        valuesOf(records),
        values.filter((value) => Number(value) % 2 === partition),
      )
    }
    const groups = await fixture.admin((admin) => admin.listGroups())
    assert.deepEqual(
      groups.groups.filter(({ groupId }) => groupId.startsWith(fixture.groupId)),
      [],
    )
  })

  it('begins at an instant, and at what retention has left', async (t) => {
    const fixture = await openTestTopic(t)
    const { send } = await fixture.producer()
    await send(fixture.topic, 0, recordsOf('a', 'b'))
    const beforeMs = Date.now()
    await waitFor(() => Date.now() > beforeMs)
    const sinceMs = Date.now()
    await send(fixture.topic, 0, recordsOf('c', 'd'))
    assert.deepEqual(valuesOf((await read(fixture, sinceMs)).get(0) ?? []), ['c', 'd'])
    await fixture.deleteBefore(1)
    assert.deepEqual(valuesOf((await read(fixture)).get(0) ?? []), ['b', 'c', 'd'])
  })

  it('ends where the topic ended when it began', async (t) => {
    const fixture = await openTestTopic(t)
    const { send } = await fixture.producer()
    await send(fixture.topic, 0, recordsOf('a', 'b'))
    const more: Promise<void>[] = []
    const found = await read(fixture, 0, () => more.push(send(fixture.topic, 0, recordsOf('later'))))
    await Promise.all(more)
    assert.deepEqual(valuesOf(found.get(0) ?? []), ['a', 'b'])
  })

  it('ends at once where there is nothing to read', async (t) => {
    const fixture = await openTestTopic(t)
    assert.equal((await read(fixture)).size, 0)
    await (await fixture.producer()).send(fixture.topic, 0, recordsOf('a'))
    assert.equal((await read(fixture, Date.now() + 60_000)).size, 0)
  })

  it('names the topic that there is not, and passes on what its user throws', async (t) => {
    const fixture = await openTestTopic(t)
    await assert.rejects(read({ ...fixture, topic: `${fixture.topic}.none` }), /\.none: Kafka has no such topic/)
    await (await fixture.producer()).send(fixture.topic, 0, recordsOf('a'))
    const failure = new Error('the disk is full')
    await assert.rejects(
      read(fixture, 0, () => {
        throw failure
      }),
      failure,
    )
  })
})
