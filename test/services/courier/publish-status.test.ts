import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { CodedError } from '#libs/errors'
import { partitionOfId } from '#libs/messages'
import { openStatusPublisher, storedEvent } from '../../../services/courier/publish-status.ts'
import { claimedDelivery, memoryProducer, memoryStream, silent, turn } from './deliveries.ts'
import { statusEvent } from './events.ts'

const PARTITIONS = 4
const FAILED = new CodedError('PRODUCE_FAILED', 'not acknowledged in time')

function setup(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const forgotten: number[] = []
  const producer = memoryProducer()
  const stream = memoryStream()
  const ledger = { forgetEvents: async (ids: readonly number[]) => void forgotten.push(...ids) }
  const publisher = openStatusPublisher({ producer, ledger, topic: 'status', partitions: PARTITIONS, log: silent })
  /** A delivery that was sent, and its event. */
  const concluded = (partition?: number) => {
    let delivery = claimedDelivery({}, stream)
    while (partition !== undefined && partitionOfId(delivery.record.id, PARTITIONS) !== partition) {
      stream.open.delete(delivery)
      delivery = claimedDelivery({}, stream)
    }
    return { delivery, event: statusEvent(delivery.record.id, 'sent', 1) }
  }
  return { t, publisher, ledger, producer, stream, forgotten, concluded }
}

describe('openStatusPublisher', () => {
  it('completes the offset only after the acknowledgement', async (t) => {
    const { publisher, producer, stream, concluded } = setup(t)
    const { delivery, event } = concluded()
    const gate = Promise.withResolvers<void>()
    producer.before = () => gate.promise
    let acknowledged = 0
    publisher.publish(event, delivery, null, () => {
      acknowledged += 1
    })
    await turn()
    assert.equal(producer.calls.length, 1)
    assert.deepEqual([stream.finished.length, acknowledged, publisher.pending], [0, 0, 1])
    gate.resolve()
    await turn()
    assert.deepEqual(stream.finished, [delivery])
    assert.deepEqual([acknowledged, publisher.pending], [1, 0])
    assert.deepEqual(producer.events, [event])
  })

  it('publishes all events of a message to one partition, in one batch what came together', async (t) => {
    const { publisher, producer, concluded } = setup(t)
    const { delivery, event } = concluded(2)
    publisher.publish(statusEvent(delivery.record.id, 'deferred', 1), delivery, null)
    publisher.publish({ ...event, data: { ...event.data, dispatch: 2 } }, delivery, null)
    await turn()
    assert.deepEqual(
      producer.calls.map(({ partition, records }) => [partition, records.length]),
      [[2, 2]],
    )
  })

  it('forgets the row of the event outbox after the acknowledgement, not before', async (t) => {
    const { publisher, producer, forgotten, concluded } = setup(t)
    const { delivery, event } = concluded()
    const gate = Promise.withResolvers<void>()
    producer.before = () => gate.promise
    publisher.publish(event, delivery, 17)
    await turn()
    assert.deepEqual(forgotten, [])
    gate.resolve()
    await turn()
    assert.deepEqual(forgotten, [17])
  })

  it('publishes again after a failure, and completes nothing before', async (t) => {
    const { publisher, producer, stream, forgotten, concluded } = setup(t)
    const { delivery, event } = concluded()
    producer.before = () => Promise.reject(FAILED)
    publisher.publish(event, delivery, 17)
    await turn()
    assert.deepEqual([producer.calls.length, stream.finished.length, forgotten.length], [1, 0, 0])
    assert.equal(publisher.pending, 1)
    producer.before = async () => undefined
    t.mock.timers.tick(1_000)
    await turn()
    assert.deepEqual(producer.events, [event])
    assert.deepEqual([stream.finished, forgotten, publisher.pending], [[delivery], [17], 0])
  })

  it('does not keep the other partitions waiting for one that fails', async (t) => {
    const { publisher, producer, stream, concluded } = setup(t)
    const [sick, healthy] = [concluded(1), concluded(3)]
    producer.before = ({ partition }) => (partition === 1 ? new Promise(() => undefined) : Promise.resolve())
    publisher.publish(sick.event, sick.delivery, null)
    publisher.publish(healthy.event, healthy.delivery, null)
    await turn()
    const later = concluded(3)
    publisher.publish(later.event, later.delivery, null)
    await turn()
    assert.deepEqual(stream.finished, [healthy.delivery, later.delivery])
  })

  it('completes what was written beside a record that Kafka refuses, and keeps trying that one', async (t) => {
    const { publisher, producer, stream, concluded } = setup(t)
    const [sound, refused] = [concluded(0), concluded(0)]
    producer.before = () =>
      Promise.reject(new CodedError('PRODUCE_REFUSED', 'too large', { details: { refused: [1] } }))
    publisher.publish(sound.event, sound.delivery, null)
    publisher.publish(refused.event, refused.delivery, null)
    await turn()
    assert.deepEqual(stream.finished, [sound.delivery])
    assert.equal(publisher.pending, 1)
    producer.before = async () => undefined
    t.mock.timers.tick(1_000)
    await turn()
    assert.deepEqual(stream.finished, [sound.delivery, refused.delivery])
  })

  it('republishes the very event that the ledger stored', async (t) => {
    const { publisher, producer, stream, concluded } = setup(t)
    const { delivery, event } = concluded()
    publisher.republish(storedEvent(event), delivery)
    await turn()
    assert.deepEqual(producer.events, [event])
    assert.deepEqual(stream.finished, [delivery])
  })

  it('publishes a row of the event outbox once, however often it is swept meanwhile', async (t) => {
    const { publisher, producer, forgotten, concluded } = setup(t)
    const { event } = concluded()
    producer.before = () => Promise.reject(FAILED)
    for (let sweep = 0; sweep < 5; sweep++) {
      publisher.republish(storedEvent(event), undefined, 17)
      await turn()
    }
    assert.equal(publisher.pending, 1)
    producer.before = async () => undefined
    t.mock.timers.tick(1_000)
    await turn()
    assert.deepEqual([producer.events.length, forgotten], [1, [17]])
    publisher.republish(storedEvent(event), undefined, 17)
    await turn()
    assert.equal(producer.events.length, 2, 'a row that could not be forgotten is published again')
  })

  it('drains: resolves when everything is published', async (t) => {
    const { publisher, producer, concluded } = setup(t)
    await publisher.drain(1_000)
    const { delivery, event } = concluded()
    producer.before = () => Promise.reject(FAILED)
    publisher.publish(event, delivery, null)
    let drained = false
    const draining = publisher.drain(10_000).then(() => {
      drained = true
    })
    await turn()
    assert.equal(drained, false)
    producer.before = async () => undefined
    t.mock.timers.tick(1_000)
    await draining
    assert.equal(publisher.pending, 0)
  })

  it('stops draining at the deadline', async (t) => {
    const { publisher, producer, concluded } = setup(t)
    const { delivery, event } = concluded()
    producer.before = () => new Promise(() => undefined)
    publisher.publish(event, delivery, null)
    const draining = publisher.drain(10_000)
    await turn()
    t.mock.timers.tick(10_000)
    await draining
    assert.equal(publisher.pending, 1)
  })
})
