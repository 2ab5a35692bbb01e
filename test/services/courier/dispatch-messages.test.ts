import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CodedError } from '#libs/errors'
import type { Channel } from '../../../services/courier/channels/channel.ts'
import type { Delivery } from '../../../services/courier/delivery.ts'
import { TRY_LIMIT_MS } from '../../../services/courier/dispatch-messages.ts'
import type { Claimed } from '../../../services/courier/lease-ledger.ts'
import { failedBeforeSend, type TryResult } from '../../../services/courier/try-result.ts'
import { claimedDelivery, memoryChannel, recordOf, selected, turn } from './deliveries.ts'
import { COUNTERS, openTestDispatcher } from './dispatchers.ts'

const AWAY = Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' })
const idsOf = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ record }) => record.id)
const classOf = ({ result }: { result: TryResult }) => result.failure?.class

describe('openDispatcher', () => {
  it('claims what arrives, and sends as much as the channel has room for', async (t) => {
    const { channel, claims, arrive, dispatcher } = openTestDispatcher(t)
    const arrived = idsOf(arrive(6))
    await turn()
    assert.deepEqual([claims, channel.sent, dispatcher.sending()], [[arrived], arrived.slice(0, 4), 4])
  })

  it('never sends what is not claimed', async (t) => {
    const { ports, channel, arrive } = openTestDispatcher(t)
    const gate = Promise.withResolvers<Claimed[]>()
    ports.claim = () => gate.promise
    const [won, lost] = arrive(2)
    await turn()
    assert.deepEqual(channel.sent, [])
    gate.resolve([{ id: won!.record.id, ...COUNTERS }])
    await turn()
    assert.deepEqual(channel.sent, [won!.record.id])
    assert.notEqual(lost!.stage, 'sending')
  })

  it('hands over the result of a try, and starts the next', async (t) => {
    const { channel, concluded, arrive, dispatcher } = openTestDispatcher(t)
    const arrived = arrive(5)
    await turn()
    channel.sending[0]!.end()
    assert.deepEqual([concluded[0]?.delivery, concluded[0]?.result.attempt?.outcome], [arrived[0], 'accepted'])
    assert.equal(concluded[0]?.delivery.stage, 'concluding')
    assert.deepEqual([channel.sent, dispatcher.sending()], [idsOf(arrived), 4])
  })

  it('keeps claims large: the next one comes when half of the ready row is gone', async (t) => {
    const { channel, claims, arrive } = openTestDispatcher(t)
    arrive(500)
    await turn()
    assert.deepEqual([claims.length, claims[0]?.length], [1, 200])
    while (claims.length === 1) {
      channel.sending[0]!.end()
      await turn(1)
    }
    assert.ok(claims[1]!.length >= 100, `claimed ${claims[1]!.length}`)
  })

  it('tries again a second after a claim failed, and sends nothing meanwhile', async (t) => {
    const { ports, channel, claims, stream, arrive } = openTestDispatcher(t)
    const { claim } = ports
    ports.claim = () => Promise.reject(AWAY)
    const arrived = idsOf(arrive(3))
    await turn()
    arrive()
    await turn()
    assert.deepEqual([claims.length, channel.sent, stream.finished], [1, [], []])
    ports.claim = claim
    t.mock.timers.tick(1_000)
    await turn()
    assert.deepEqual(channel.sent.slice(0, 3).sort(), arrived)
  })

  it('concludes what expired before its claim and before its send, unsent', async (t) => {
    const { channel, concluded, dispatcher } = openTestDispatcher(t)
    channel.places = 0
    const early = claimedDelivery({ record: recordOf({ expires_at: new Date(Date.now() - 1).toISOString() }) })
    const late = Object.assign(claimedDelivery(), { expiresAtMs: Date.now() + 3_600_000 })
    dispatcher.accept([early, late])
    assert.deepEqual([concluded.map(({ delivery }) => delivery), concluded.map(classOf)], [[early], ['expired']])
    Object.assign(late, { expiresAtMs: Date.now() - 1 })
    channel.places = 1
    dispatcher.wake()
    assert.deepEqual([concluded.map(classOf), channel.sent], [['expired', 'expired'], []])
  })

  it('lets the channel ask right before the mail is announced whether it is still wanted', async (t) => {
    const { ports, dispatcher } = openTestDispatcher(t)
    let stillWanted: () => boolean = () => assert.fail('not asked yet')
    const send: Channel['send'] = (_mail, _done, wanted) => {
      stillWanted = wanted!
    }
    ports.select = () => selected({ free: 1, send, onFree: () => undefined, close: async () => undefined })
    const delivery = claimedDelivery()
    dispatcher.accept([delivery])
    assert.equal(stillWanted(), true)
    Object.assign(delivery, { expiresAtMs: Date.now() - 1 })
    assert.equal(stillWanted(), false)
  })

  it('concludes a message without a channel with a remedy', async (t) => {
    const { ports, concluded, dispatcher } = openTestDispatcher(t)
    ports.select = () => undefined
    dispatcher.accept([claimedDelivery()])
    assert.equal(concluded[0]?.result.failure?.class, 'config')
    assert.match(concluded[0]!.result.failure!.message, /email: add it to courier\.channels/)
  })

  it('concludes what cannot be rendered, and goes on', async (t) => {
    const { ports, channel, concluded, dispatcher } = openTestDispatcher(t)
    const { prepare } = ports
    const [bad, good] = [claimedDelivery(), claimedDelivery()]
    const failing = (delivery: Delivery) => (delivery === bad ? failedBeforeSend('render', 'no') : prepare(delivery))
    ports.prepare = failing as typeof prepare
    dispatcher.accept([bad, good])
    assert.deepEqual([concluded.map(({ delivery }) => delivery), channel.sent], [[bad], [good.record.id]])
  })

  it('lets a message wait whose seal cannot be opened here, and goes on', async (t) => {
    const { ports, channel, concluded, givenBack, dispatcher } = openTestDispatcher(t)
    const { prepare } = ports
    const [strange, good] = [claimedDelivery(), claimedDelivery()]
    ports.prepare = (delivery) => {
      if (delivery === strange) throw new CodedError('SEAL_UNKNOWN_KEY', 'sealed with key 01234567')
      return prepare(delivery)
    }
    dispatcher.accept([strange, good])
    assert.deepEqual(givenBack, [{ delivery: strange, delayMs: 30_000 }])
    assert.deepEqual([concluded, channel.sent], [[], [good.record.id]])
  })

  it('lets a message wait whose way is not known here, whatever channel there is, and goes on', async (t) => {
    const { ports, channel, concluded, givenBack, dispatcher } = openTestDispatcher(t)
    const [strange, good] = [claimedDelivery(), claimedDelivery()]
    ports.mustWait = ({ id }) => id === strange.record.id
    dispatcher.accept([strange, good])
    assert.deepEqual(givenBack, [{ delivery: strange, delayMs: 30_000 }])
    assert.deepEqual([concluded, channel.sent], [[], [good.record.id]])
    ports.select = () => undefined
    dispatcher.accept([strange])
    assert.deepEqual([givenBack.length, concluded], [2, []])
  })

  it('gives back a claim whose lease is too short for a try', async (t) => {
    const { channel, givenBack, dispatcher } = openTestDispatcher(t)
    const short = claimedDelivery({ leaseUntilMs: Date.now() + TRY_LIMIT_MS - 1_000 })
    dispatcher.accept([short])
    assert.deepEqual([givenBack, channel.sent], [[{ delivery: short, delayMs: 0 }], []])
  })

  it('lets a message that two couriers lost run alone', async (t) => {
    const { channel, dispatcher } = openTestDispatcher(t)
    const [suspect, before, after] = [claimedDelivery({ reclaims: 2 }), claimedDelivery(), claimedDelivery()]
    dispatcher.accept([before])
    dispatcher.accept([suspect, after])
    assert.deepEqual(channel.sent, idsOf([before]))
    channel.sending[0]!.end()
    assert.deepEqual(channel.sent, idsOf([before, suspect]))
    dispatcher.accept([claimedDelivery()])
    assert.equal(dispatcher.sending(), 1)
    channel.sending[0]!.end()
    assert.equal(dispatcher.sending(), 2)
    assert.equal(channel.sent[2], after.record.id)
  })

  it('does not stop the others for a suspect that cannot be sent: when it expired, or its channel has no room', async (t) => {
    const { ports, channel, concluded, dispatcher } = openTestDispatcher(t)
    const full = memoryChannel(0)
    ports.select = () => ({ ...selected(full), key: 'full' })
    dispatcher.accept([claimedDelivery({ reclaims: 2 })])
    ports.select = () => selected(channel)
    const expired = claimedDelivery({ reclaims: 3 })
    dispatcher.accept([expired, claimedDelivery()])
    assert.equal(channel.sent.length, 1)
    channel.sending[0]!.end()
    dispatcher.accept([claimedDelivery()])
    assert.ok(channel.sent.length >= 2)
    assert.equal(full.sent.length, 0)
    assert.equal(concluded.length, 1)
  })

  it('holds a message that five couriers lost, unsent', async (t) => {
    const { channel, concluded, dispatcher } = openTestDispatcher(t)
    dispatcher.accept([claimedDelivery({ reclaims: 5 })])
    assert.deepEqual([channel.sent, concluded.map(classOf)], [[], ['ambiguous']])
    assert.match(concluded[0]!.result.failure!.message, /retry or cancel/)
  })

  it('ends a held message when its life does', async (t) => {
    const { concluded, dispatcher } = openTestDispatcher(t)
    const record = recordOf({ expires_at: new Date(Date.now() - 1).toISOString() })
    dispatcher.accept([claimedDelivery({ reclaims: 5, record })])
    assert.deepEqual(concluded.map(classOf), ['expired'])
  })

  it('lets a backlog of what fell due never stand before what arrives', async (t) => {
    const { channel, dispatcher, arrive } = openTestDispatcher(t)
    channel.places = 0
    for (let room = dispatcher.room(); room > 0; room = dispatcher.room()) {
      dispatcher.accept(Array.from({ length: room }, () => claimedDelivery({ dispatch: 2 })))
    }
    const [fresh] = arrive()
    await turn()
    channel.places = 1
    dispatcher.wake()
    assert.deepEqual(channel.sent, [fresh!.record.id])
  })

  it('has room for what is due again when it was tried', async (t) => {
    const { channel, dispatcher } = openTestDispatcher(t)
    const room = dispatcher.room()
    dispatcher.accept(Array.from({ length: room }, () => claimedDelivery({ dispatch: 2 })))
    assert.equal(dispatcher.room(), 4, 'four are being sent')
    channel.sending[0]!.end()
    assert.equal(dispatcher.room(), 5)
  })

  it('says once when half of that room is free', async (t) => {
    const { channel, dispatcher, told } = openTestDispatcher(t)
    channel.places = 0
    const room = dispatcher.room()
    dispatcher.accept(Array.from({ length: room }, () => claimedDelivery({ dispatch: 2 })))
    for (let sent = 1; sent <= room; sent++) {
      channel.places = sent
      dispatcher.wake()
      assert.equal(told.dueRoom, sent < room / 2 ? 0 : 1, `after ${sent}`)
    }
  })

  it('stopped, starts nothing, gives back what was not tried, and lets what is being sent end', async (t) => {
    const { ports, channel, concluded, givenBack, dispatcher, arrive } = openTestDispatcher(t)
    const arrived = arrive(6)
    await turn()
    const gate = Promise.withResolvers<Claimed[]>()
    ports.claim = () => gate.promise
    const [claiming] = arrive()
    await turn()
    dispatcher.stop()
    assert.deepEqual(
      givenBack.map(({ delivery }) => delivery),
      arrived.slice(4),
    )
    gate.resolve([{ id: claiming!.record.id, ...COUNTERS }])
    await turn()
    assert.deepEqual(givenBack.at(-1), { delivery: claiming, delayMs: 0 })
    while (channel.sending.length > 0) channel.sending[0]!.end()
    assert.deepEqual([concluded.length, channel.sent.length, dispatcher.sending()], [4, 4, 0])
  })

  it('changes to a new channel without losing what is ready', async (t) => {
    const { ports, channel, dispatcher } = openTestDispatcher(t)
    channel.places = 0
    const [before, after] = [claimedDelivery(), claimedDelivery()]
    dispatcher.accept([before])
    const next = memoryChannel()
    const replaced = selected(next)
    ports.select = () => replaced
    dispatcher.accept([after])
    assert.deepEqual(next.sent, idsOf([before, after]))
  })

  it('keeps a place for a mail that is being rendered, and starts no more than there are', async (t) => {
    const { channel, ports, arrive } = openTestDispatcher(t)
    channel.places = 2
    const rendered: (() => void)[] = []
    const prepare = ports.prepare
    ports.prepare = (delivery) => new Promise((resolve) => rendered.push(() => resolve(prepare(delivery))))
    const deliveries = arrive(5)
    await turn()
    assert.equal(rendered.length, 2)
    for (const finish of rendered.splice(0)) finish()
    await turn()
    assert.deepEqual(
      channel.sent,
      deliveries.slice(0, 2).map(({ record }) => record.id),
    )
    assert.equal(rendered.length, 0)
    channel.sending[0]!.end()
    assert.equal(rendered.length, 1)
  })

  it('does not send what a newer message makes useless, also while it was ready', async (t) => {
    const { channel, concluded, dispatcher, arrive } = openTestDispatcher(t)
    channel.places = 0
    const [old] = arrive()
    await turn()
    old!.superseded = true
    channel.places = 1
    dispatcher.wake()
    dispatcher.accept([claimedDelivery({ superseded: true })])
    assert.deepEqual(channel.sent, [])
    assert.deepEqual(concluded.map(classOf), ['superseded', 'superseded'])
  })

  it('holds what may have been sent, where its type asks for that', async (t) => {
    const { channel, concluded, dispatcher } = openTestDispatcher(t)
    const record = recordOf({ template_type: 'held_when_unknown' })
    dispatcher.accept([claimedDelivery({ record, reclaims: 1 })])
    assert.deepEqual([channel.sent, concluded.map(classOf)], [[], ['ambiguous']])
    dispatcher.accept([claimedDelivery({ record: recordOf({ template_type: 'held_when_unknown' }) })])
    assert.equal(channel.sent.length, 1)
  })
})
