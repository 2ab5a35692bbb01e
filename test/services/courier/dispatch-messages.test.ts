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

  describe('with a channel that is blocked', () => {
    const FAILURE = { class: 'auth', message: 'refused' } as const
    const blocked = () => ({ failure: FAILURE, sinceMs: 0, nextProbeAtMs: 0 })

    it('parks what it has ready, without claim or place, and claims nothing more of it', async (t) => {
      const { channel, claims, dispatcher, givenBack, intake, ports, arrive } = openTestDispatcher(t)
      let blockage: ReturnType<typeof blocked> | undefined
      ports.select = () => selected(channel, { blockage: () => blockage })
      channel.places = 1
      const [first, ...others] = arrive(5)
      await turn()
      assert.deepEqual(channel.sent, [first!.record.id])
      blockage = blocked()
      channel.places = 0
      channel.sending[0]!.end()
      assert.deepEqual(
        givenBack.map(({ delivery, delayMs }) => [delivery.record.id, delayMs]),
        others.map(({ record }) => [record.id, 0]),
      )
      const claimed = claims.length
      arrive(3)
      await turn()
      assert.equal(claims.length, claimed)
      assert.equal(intake.size, 3)
      assert.equal(dispatcher.roomOf('email'), 0)
    })

    it('lets one message through when a probe may go', async (t) => {
      const { channel, claims, dispatcher, givenBack, ports, arrive } = openTestDispatcher(t)
      ports.select = () => selected(channel, { blockage: blocked })
      channel.places = 0
      const [probe] = arrive(5)
      await turn()
      assert.deepEqual([claims, dispatcher.roomOf('email')], [[], 0])
      channel.places = 1
      assert.equal(dispatcher.roomOf('email'), 1)
      dispatcher.wake()
      await turn()
      assert.deepEqual(channel.sent, [probe!.record.id])
      assert.deepEqual([claims, givenBack], [[[probe!.record.id]], []])
    })

    it('does not keep other channels from being claimed and sent', async (t) => {
      const { channel, dispatcher, ports, arrive } = openTestDispatcher(t)
      const sick = memoryChannel(0)
      ports.keyOf = (type) => type
      ports.select = ({ template_type }) =>
        template_type === 'stub' ? selected(sick, { key: 'stub' }) : selected(channel, { key: template_type })
      for (let i = 0; i < 600; i++) arrive(1, 'urgent', 'stub')
      const [healthy] = arrive()
      await turn()
      dispatcher.wake()
      await turn()
      assert.deepEqual(channel.sent, [healthy!.record.id])
    })
  })

  describe('with a next provider', () => {
    const FAILURE = { class: 'network', message: 'refused' } as const

    function setup(t: Parameters<typeof openTestDispatcher>[0], places = 4) {
      const opened = openTestDispatcher(t)
      const channel = opened.channel
      channel.places = places
      const other = memoryChannel(4)
      const state = { probeInMs: undefined as number | undefined }
      const next = selected(other, { key: 'email.next', provider: 'next' })
      const first = selected(channel, {
        provider: 'first',
        next,
        blockage: () =>
          state.probeInMs === undefined
            ? undefined
            : { failure: FAILURE, sinceMs: 0, nextProbeAtMs: Date.now() + state.probeInMs },
      })
      opened.ports.select = ({ template_type }) => (template_type === 'email.next' ? next : first)
      return { ...opened, other, state }
    }

    it('sends the second try of urgent mail there, and tells which of the two took it', async (t) => {
      const { channel, other, concluded, dispatcher, arrive } = setup(t)
      const [first] = arrive()
      const second = claimedDelivery({ dispatch: 2 })
      await turn()
      dispatcher.accept([second])
      assert.deepEqual([channel.sent, other.sent], [[first!.record.id], [second.record.id]])
      channel.sending[0]!.end()
      other.sending[0]!.end()
      assert.deepEqual(
        concluded.map(({ delivery }) => delivery.via?.provider),
        ['first', 'next'],
      )
    })

    it('sends everything there while the first is blocked, but for one mail that probes it', async (t) => {
      const { channel, other, state, givenBack, arrive } = setup(t, 0)
      state.probeInMs = 5_000
      const urgent = idsOf(arrive(2))
      const notices = idsOf(arrive(1, 'notice'))
      await turn()
      assert.deepEqual([channel.sent, other.sent], [[], [...urgent, ...notices]])
      channel.places = 1
      const [probe, beside] = idsOf(arrive(2))
      await turn()
      assert.deepEqual([channel.sent, other.sent.at(-1), givenBack], [[probe], beside, []])
    })

    it('lets what may have been sent wait for the first, and takes it no sooner than the next probe', async (t) => {
      const { other, state, givenBack, dispatcher } = setup(t, 0)
      state.probeInMs = 20_000
      const unknown = claimedDelivery({ dispatch: 2, unknowns: 1 })
      const reclaimed = claimedDelivery({ dispatch: 3, reclaims: 2 })
      const certain = claimedDelivery({ dispatch: 3 })
      dispatcher.accept([unknown, reclaimed, certain])
      assert.deepEqual(other.sent, [certain.record.id])
      assert.deepEqual(new Set(givenBack.map(({ delivery }) => delivery)), new Set([unknown, reclaimed]))
      for (const { delayMs } of givenBack) assert.ok(delayMs > 15_000, `due again in ${delayMs} ms`)
      assert.equal(dispatcher.room(), 100)
    })

    it('has room for what is due while one of the two is open', async (t) => {
      const { channel, other, state, dispatcher } = setup(t, 0)
      assert.equal(dispatcher.roomOf('email'), 100)
      state.probeInMs = 5_000
      assert.equal(dispatcher.roomOf('email'), 100)
      other.places = 0
      dispatcher.accept(Array.from({ length: 10 }, () => claimedDelivery({ dispatch: 2 })))
      assert.equal(dispatcher.roomOf('email'), 90)
      assert.deepEqual([channel.sent, other.sent], [[], []])
    })
  })
})
