import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ensureTopics, openProducer } from '#libs/bus'
import { testKafka } from '../../support/servers.ts'
import { log, recordsOf } from './kafka-fixture.ts'

describe('ensureTopics', () => {
  it('creates what does not exist, ready for records', async () => {
    const { brokers: list, prefix } = testKafka()
    const brokers = list.split(',')
    const topics = ['a', 'b'].map((name) => ({
      name: prefix + name,
      partitions: 3,
      replication: 1,
      config: { 'cleanup.policy': 'delete', 'retention.ms': '3600000' },
    }))
    assert.deepEqual(await ensureTopics({ brokers, topics }), {
      created: topics.map(({ name }) => name),
      mismatches: [],
    })
    await using producer = await openProducer({ brokers, clientId: 'test', log })
    await producer.send(`${prefix}b`, 2, recordsOf('a'))
    assert.deepEqual(await ensureTopics({ brokers, topics }), { created: [], mismatches: [] })
  })

  it('tells what differs and changes nothing', async () => {
    const { brokers: list, prefix } = testKafka()
    const brokers = list.split(',')
    const topic = { name: `${prefix}a`, partitions: 2, replication: 1, config: { 'retention.ms': '3600000' } }
    await ensureTopics({ brokers, topics: [topic] })
    const wanted = { ...topic, partitions: 4, config: { 'retention.ms': '7200000' } }
    const { created, mismatches } = await ensureTopics({ brokers, topics: [wanted] })
    assert.deepEqual(created, [])
    assert.deepEqual(mismatches, [
      `${topic.name}: partitions is 2, configured is 4`,
      `${topic.name}: retention.ms is 3600000, configured is 7200000`,
    ])
    assert.deepEqual((await ensureTopics({ brokers, topics: [topic] })).mismatches, [])
  })

  it('may run several times at once', async () => {
    const { brokers: list, prefix } = testKafka()
    const topics = [{ name: `${prefix}a`, partitions: 2, replication: 1, config: {} }]
    const results = await Promise.all([1, 2, 3].map(() => ensureTopics({ brokers: list.split(','), topics })))
    assert.equal(results.flatMap(({ created }) => created).length, 1)
    assert.deepEqual(
      results.flatMap(({ mismatches }) => mismatches),
      [],
    )
  })
})
