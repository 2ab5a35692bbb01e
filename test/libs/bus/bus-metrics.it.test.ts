import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { waitFor } from '../../support/servers.ts'
import { openMeter } from '../telemetry/memory-meter.ts'
import { openTestTopic, recordsOf } from './kafka-fixture.ts'

describe('what the bus counts', () => {
  const { install, read } = openMeter()
  before(install)

  it('tells records sent and consumed, and how far a group is behind what it has done', async (t) => {
    const { topic, groupId, producer, member } = await openTestTopic(t)
    const { send } = await producer()
    await send(topic, 0, recordsOf('a', 'b', 'c'))
    const sent = await read('messaging.client.sent.messages')
    assert.equal(sent[`messaging.system=kafka,messaging.operation.name=send,messaging.destination.name=${topic}`], 3)
    const { consumer, records } = await member()
    await waitFor(() => records.length === 3)
    const ofGroup = `messaging.consumer.group.name=${groupId},messaging.destination.name=${topic}`
    assert.equal((await read('kafka.consumer_group.lag_sum'))[ofGroup], 3)
    consumer.commit(topic, 0, 2)
    assert.equal((await read('kafka.consumer_group.lag_sum'))[ofGroup], 1)
    const consumed = Object.entries(await read('messaging.client.consumed.messages'))
    assert.deepEqual(
      consumed.map(([key, count]) => [key.includes(groupId), count]),
      [[true, 3]],
    )
    await consumer[Symbol.asyncDispose]()
    assert.equal((await read('kafka.consumer_group.lag_sum'))[ofGroup], 0)
  })

  it('counts what Kafka does not acknowledge under its code', async (t) => {
    const { topic, producer } = await openTestTopic(t)
    const closed = await producer()
    await closed[Symbol.asyncDispose]()
    await assert.rejects(closed.send(topic, 0, recordsOf('a')), { code: 'PRODUCER_CLOSED' })
    const failed = Object.entries(await read('messaging.client.sent.messages')).filter(([key]) => key.includes(topic))
    assert.equal(failed.length, 1)
    assert.match(failed[0]![0], /error\.type=PRODUCER_CLOSED/)
  })
})
