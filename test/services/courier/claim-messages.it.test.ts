import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { claimMessages } from '../../../services/courier/claim-messages.ts'
import type { Delivery } from '../../../services/courier/delivery.ts'
import type { LeaseLedger } from '../../../services/courier/lease-ledger.ts'
import { openStatusPublisher, storedEvent } from '../../../services/courier/publish-status.ts'
import { waitFor } from '../../support/servers.ts'
import {
  deliveryOf,
  LEASE_MS,
  type MemoryStream,
  memoryProducer,
  memoryStream,
  recordOf,
  silent,
} from './deliveries.ts'
import { statusEvent } from './events.ts'
import { openLedgers } from './ledgers.ts'

const AWAY = Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' })

async function setup(t: TestContext) {
  const ledgers = await openLedgers(t)
  const [mine, other] = [ledgers.ledger('mine'), ledgers.ledger('other')]
  await mine.heartbeat()
  await other.heartbeat()
  const producer = memoryProducer()
  const publisher = openStatusPublisher({ producer, ledger: mine, topic: 'status', partitions: 4, log: silent })
  const stream = memoryStream()
  const givenBack: Delivery[] = []
  const intake = { giveBack: (deliveries: readonly Delivery[]) => void givenBack.push(...deliveries) }
  const claim = (deliveries: readonly Delivery[], ledger: LeaseLedger = mine) =>
    claimMessages(deliveries, { ledger, publisher, intake, leaseMs: LEASE_MS, log: silent })
  return { ...ledgers, mine, other, producer, stream, givenBack, claim }
}

/** A record as the stream hands it over. */
function arrive(stream: MemoryStream, record = recordOf()): Delivery {
  const delivery = deliveryOf(record, stream)
  stream.add(delivery)
  delivery.stage = 'claiming'
  return delivery
}

const claimOf = ({ record, expiresAtMs }: Delivery) => ({
  id: record.id,
  projectId: record.project_id,
  channel: record.channel,
  lane: record.lane,
  supersedeKey: null,
  expiresAt: new Date(expiresAtMs),
})

async function conclude(ledger: LeaseLedger, delivery: Delivery): Promise<string> {
  const event = statusEvent(delivery.record.id, 'sent', 1)
  const end = { state: 'done' as const, charged: 1, unknowns: 0, dueAt: null, payload: null }
  await ledger.conclude([{ id: delivery.record.id, dispatch: 1, ...end, event: storedEvent(event) }])
  return event.id
}

describe('claimMessages', () => {
  it('makes what is free this courier’s to send, for the length of the lease', async (t) => {
    const { stream, claim, row } = await setup(t)
    const [one, two] = [arrive(stream), arrive(stream)]
    const beforeMs = Date.now()
    assert.deepEqual(await claim([one, two]), [one, two])
    assert.deepEqual([one.stage, one.dispatch, one.reclaims], ['ready', 1, 0])
    const leaseUntil = (await row(one.record.id))!.lease_until!.getTime()
    assert.ok(one.leaseUntilMs >= beforeMs + LEASE_MS - 1)
    assert.ok(one.leaseUntilMs <= leaseUntil, 'a courier never thinks that it has longer than the ledger says')
    assert.equal(stream.open.size, 2)
  })

  it('tells how often the message was taken from a stopped courier', async (t) => {
    const { stream, other, claim, elapse } = await setup(t)
    const delivery = arrive(stream)
    await other.claim([claimOf(delivery)])
    await elapse(delivery.record.id)
    await claim([delivery])
    assert.deepEqual([delivery.dispatch, delivery.reclaims], [2, 1])
  })

  it('publishes the stored event of a redelivered message once more, then completes its offset', async (t) => {
    const { stream, other, claim, producer } = await setup(t)
    const delivery = arrive(stream)
    await other.claim([claimOf(delivery)])
    const eventId = await conclude(other, delivery)
    let acknowledge: () => void = () => undefined
    producer.before = () =>
      new Promise((resolve) => {
        acknowledge = resolve
      })
    assert.deepEqual(await claim([delivery]), [])
    await waitFor(() => producer.calls.length === 1)
    assert.deepEqual(stream.finished, [])
    acknowledge()
    await waitFor(() => stream.finished.length === 1)
    assert.deepEqual(
      producer.events.map(({ id }) => id),
      [eventId],
    )
  })

  it('hands what another courier holds to the ledger, and completes its offset', async (t) => {
    const { stream, other, claim, row } = await setup(t)
    const delivery = arrive(stream)
    await other.claim([claimOf(delivery)])
    assert.deepEqual(await claim([delivery]), [])
    assert.deepEqual(stream.finished, [delivery])
    const { handed_over, owner, due_at, lease_until, payload } = (await row(delivery.record.id))!
    assert.deepEqual({ handed_over, owner, due_at }, { handed_over: true, owner: 'other', due_at: lease_until })
    assert.match(payload!, new RegExp(delivery.record.id))
  })

  it('completes the offset of what the ledger has already', async (t) => {
    const { stream, other, claim, producer } = await setup(t)
    const delivery = arrive(stream)
    await other.handOver([{ ...claimOf(delivery), payload: 'kept' }])
    assert.deepEqual(await claim([delivery]), [])
    assert.deepEqual(stream.finished, [delivery])
    assert.deepEqual(producer.calls, [])
  })

  it('takes the second copy of a record for another one’s message', async (t) => {
    const { stream, claim, row } = await setup(t)
    const record = recordOf()
    const [first, second] = [arrive(stream, record), arrive(stream, record)]
    assert.deepEqual(await claim([first, second]), [first])
    assert.deepEqual(stream.finished, [second])
    assert.equal((await row(record.id))!.handed_over, true)
  })

  it('republishes what was concluded between the look-up and the hand-over', async (t) => {
    const { stream, mine, other, claim, producer } = await setup(t)
    const delivery = arrive(stream)
    await other.claim([claimOf(delivery)])
    const racing: LeaseLedger = {
      ...mine,
      handOver: async (items) => {
        await conclude(other, delivery)
        return mine.handOver(items)
      },
    }
    assert.deepEqual(await claim([delivery], racing), [])
    await waitFor(() => stream.finished.length === 1)
    assert.equal(producer.events.length, 1)
  })

  it('keeps what it won although what it lost cannot be settled now', async (t) => {
    const { stream, mine, other, claim, givenBack } = await setup(t)
    const [lost, free] = [arrive(stream), arrive(stream)]
    await other.claim([claimOf(lost)])
    const flaky: LeaseLedger = { ...mine, lookUp: () => Promise.reject(AWAY) }
    assert.deepEqual(await claim([lost, free], flaky), [free])
    assert.deepEqual(givenBack, [lost])
    assert.deepEqual(stream.finished, [])
  })

  it('gets what it claimed without an answer at the next attempt, at no cost to the message', async (t) => {
    const { stream, mine, claim } = await setup(t)
    const delivery = arrive(stream)
    const cut: LeaseLedger = {
      ...mine,
      claim: async (...values) => {
        await mine.claim(...values)
        throw AWAY
      },
    }
    await assert.rejects(claim([delivery], cut), AWAY)
    assert.deepEqual(await claim([delivery]), [delivery])
    assert.equal(delivery.reclaims, 0)
  })

  it('does not take from itself what it is sending, when the record comes again while the ledger is away', async (t) => {
    const { stream, mine, claim, row } = await setup(t)
    const record = recordOf()
    const first = arrive(stream, record)
    await claim([first])
    first.stage = 'sending'
    const again = arrive(stream, record)
    const away: LeaseLedger = { ...mine, claim: () => Promise.reject(AWAY) }
    await assert.rejects(claim([again], away), AWAY)
    assert.deepEqual(await claim([again]), [])
    const { dispatch, handed_over } = (await row(record.id))!
    assert.deepEqual({ dispatch, handed_over }, { dispatch: 1, handed_over: true })
  })

  it('throws while the ledger is away, and settles nothing', async (t) => {
    const { stream, mine, claim } = await setup(t)
    const delivery = arrive(stream)
    await assert.rejects(claim([delivery], { ...mine, claim: () => Promise.reject(AWAY) }), AWAY)
    assert.deepEqual(stream.finished, [])
  })
})
