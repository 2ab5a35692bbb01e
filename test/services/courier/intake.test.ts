import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openIntake } from '../../../services/courier/intake.ts'
import { deliveryOf, memoryStream } from './deliveries.ts'

function setup() {
  const stream = memoryStream()
  const arrivals: number[] = []
  const intake = openIntake(() => arrivals.push(intake.size))
  const arrive = (lane: 'urgent' | 'notice' = 'urgent') => {
    const delivery = deliveryOf({ lane }, stream)
    stream.add(delivery)
    intake.accept([delivery])
    return delivery
  }
  return { stream, intake, arrive, arrivals }
}

describe('openIntake', () => {
  it('gives urgent messages before notices, each in order of arrival', () => {
    const { intake, arrive } = setup()
    const [n1, u1, n2, u2] = [arrive('notice'), arrive(), arrive('notice'), arrive()]
    assert.deepEqual(intake.take(3), [u1, u2, n1])
    assert.deepEqual(intake.take(3), [n2])
    assert.deepEqual(intake.take(3), [])
  })

  it('says that something arrived, once it can be taken', () => {
    const { arrive, arrivals } = setup()
    arrive()
    assert.deepEqual(arrivals, [1])
  })

  it('marks what is taken as being claimed, and what is given back as waiting', () => {
    const { intake, arrive } = setup()
    const delivery = arrive()
    assert.deepEqual(intake.take(1), [delivery])
    assert.equal(delivery.stage, 'claiming')
    intake.giveBack([delivery])
    assert.equal(delivery.stage, 'waiting')
    assert.deepEqual(intake.take(1), [delivery])
  })

  it('leaves out messages of a lost partition and lets them go', () => {
    const { stream, intake, arrive } = setup()
    const lost = arrive()
    stream.revoke()
    const own = arrive()
    assert.deepEqual(intake.take(5), [own])
    assert.deepEqual(stream.finished, [lost])
    assert.deepEqual([...stream.open], [own])
  })

  it('leaves out what was handed to the ledger meanwhile', () => {
    const { intake, arrive } = setup()
    const [handedOver, own] = [arrive(), arrive()]
    handedOver.stage = 'done'
    assert.deepEqual(intake.take(5), [own])
  })

  it('forgets what was handed over although nothing is taken', () => {
    const { intake, arrive } = setup()
    for (let i = 0; i < 100; i++) arrive(i % 2 === 0 ? 'urgent' : 'notice').stage = 'done'
    assert.ok(intake.size <= 2, `${intake.size} are kept`)
  })
})
