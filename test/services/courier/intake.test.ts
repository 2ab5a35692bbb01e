import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MessageRecord } from '#libs/messages'
import { newDelivery } from '../../../services/courier/delivery.ts'
import { openIntake } from '../../../services/courier/intake.ts'
import { deliveryOf, memoryStream, recordOf } from './deliveries.ts'

function setup() {
  const stream = memoryStream()
  const arrivals: number[] = []
  const intake = openIntake(
    ({ record }) => record.template_type,
    () => arrivals.push(intake.size),
  )
  const arrive = (lane: 'urgent' | 'notice' = 'urgent') => {
    const delivery = deliveryOf({ lane }, stream)
    stream.add(delivery)
    intake.accept([delivery])
    return delivery
  }
  return { stream, intake, arrive, arrivals }
}

const anything = () => 100

describe('openIntake', () => {
  it('gives urgent messages before notices, each in order of arrival', () => {
    const { intake, arrive } = setup()
    const [n1, u1, n2, u2] = [arrive('notice'), arrive(), arrive('notice'), arrive()]
    assert.deepEqual(intake.take(3, anything), [u1, u2, n1])
    assert.deepEqual(intake.take(3, anything), [n2])
    assert.deepEqual(intake.take(3, anything), [])
  })

  it('says that something arrived, once it can be taken', () => {
    const { arrive, arrivals } = setup()
    arrive()
    assert.deepEqual(arrivals, [1])
  })

  it('marks what is taken as being claimed, and what is given back as waiting', () => {
    const { intake, arrive } = setup()
    const delivery = arrive()
    assert.deepEqual(intake.take(1, anything), [delivery])
    assert.equal(delivery.stage, 'claiming')
    intake.giveBack([delivery])
    assert.equal(delivery.stage, 'waiting')
    assert.deepEqual(intake.take(1, anything), [delivery])
  })

  it('leaves out messages of a lost partition and lets them go', () => {
    const { stream, intake, arrive } = setup()
    const lost = arrive()
    stream.revoke()
    const own = arrive()
    assert.deepEqual(intake.take(5, anything), [own])
    assert.deepEqual(stream.finished, [lost])
    assert.deepEqual([...stream.open], [own])
  })

  it('leaves out what was handed to the ledger meanwhile', () => {
    const { intake, arrive } = setup()
    const [handedOver, own] = [arrive(), arrive()]
    handedOver.stage = 'done'
    assert.deepEqual(intake.take(5, anything), [own])
  })

  it('forgets what was handed over although nothing is taken', () => {
    const { intake, arrive } = setup()
    for (let i = 0; i < 100; i++) arrive(i % 2 === 0 ? 'urgent' : 'notice').stage = 'done'
    assert.ok(intake.size <= 2, `${intake.size} are kept`)
  })

  it('takes no more of a channel than it has room for, and urgent ones of all channels first', () => {
    const { stream, intake } = setup()
    const arrive = (template_type: string, lane: 'urgent' | 'notice') => {
      const delivery = deliveryOf({ lane, template_type }, stream)
      stream.add(delivery)
      intake.accept([delivery])
      return delivery
    }
    const sick = Array.from({ length: 5 }, () => arrive('sick', 'urgent'))
    const [notice, urgent] = [arrive('healthy', 'notice'), arrive('healthy', 'urgent')]
    const roomOf = (key: string) => (key === 'sick' ? 2 : 10)
    assert.deepEqual(intake.take(10, roomOf), [sick[0], sick[1], urgent, notice])
    assert.deepEqual(
      intake.take(10, () => 0),
      [],
    )
    assert.equal(intake.size, 3)
  })

  it('sorts what waits by channel once more, in its order, and forgets what is settled', () => {
    const stream = memoryStream()
    let key = 'old'
    const intake = openIntake(
      () => key,
      () => undefined,
    )
    const deliveries = [deliveryOf({}, stream), deliveryOf({ lane: 'notice' }, stream), deliveryOf({}, stream)]
    const settled = deliveryOf({}, stream)
    intake.accept([...deliveries, settled])
    settled.stage = 'done'
    key = 'new'
    const roomOf = (of: string) => (of === 'new' ? 10 : 0)
    assert.deepEqual(intake.take(10, roomOf), [])
    intake.rearrange()
    assert.equal(intake.size, 3)
    assert.deepEqual(intake.take(10, roomOf), [deliveries[0], deliveries[2], deliveries[1]])
  })

  it('marks the older of two codes for one recipient, whichever comes first, and leaves other messages alone', () => {
    const { intake, stream } = setup()
    const of = (key: string, more: Partial<MessageRecord> = {}) =>
      newDelivery(recordOf(more), { traceparent: '', tracestate: '', recordJson: '' }, stream.origin(), key)
    const [first, second, third] = [of('ada'), of('ada'), of('ada')]
    const [other, notice, again] = [
      of('grace'),
      of('ada', { template_type: 'stub' }),
      of('ada', { template_type: 'stub' }),
    ]
    intake.accept([first, third, second, other, notice, again])
    const marked = [first, second, third, other, notice, again].map(({ superseded }) => superseded)
    assert.deepEqual(marked, [true, true, false, false, false, false])
  })
})
