import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Delivery } from '../../../services/courier/delivery.ts'
import { claimedDelivery, memoryChannel, selected, turn } from './deliveries.ts'
import { openTestDispatcher } from './dispatchers.ts'

const idsOf = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ record }) => record.id)

describe('openDispatcher with a channel that is blocked', () => {
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

describe('openDispatcher with a next provider', () => {
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

describe('openDispatcher when channels change', () => {
  it('gives what it has ready to the new one, and leaves what is being sent', async (t) => {
    const { channel, dispatcher, givenBack, ports, arrive } = openTestDispatcher(t)
    channel.places = 1
    const [first, ...others] = idsOf(arrive(3))
    await turn()
    dispatcher.accept([claimedDelivery({ dispatch: 2 }), claimedDelivery({ dispatch: 3, reclaims: 2 })])
    const replacement = memoryChannel()
    ports.select = () => selected(replacement, { key: 'a project/email' })
    const roomBefore = dispatcher.room()
    dispatcher.rearrange()
    // One that stopped couriers runs alone, so the others wait for what is under way as well.
    assert.deepEqual([channel.sent, replacement.sent, givenBack], [[first], [], []])
    channel.sending[0]!.end()
    assert.equal(replacement.sent.length, 1)
    replacement.sending[0]!.end()
    assert.equal(replacement.sent.length, 4)
    assert.ok(others.every((id) => replacement.sent.includes(id)))
    assert.deepEqual(channel.sent, [first])
    assert.ok(dispatcher.room() > roomBefore, 'messages that fell due are counted twice')
  })

  it('gives what waits for a closed channel to the one that has its key now', async (t) => {
    const { channel, dispatcher, ports, arrive } = openTestDispatcher(t)
    channel.places = 0
    const ids = idsOf(arrive(2))
    await turn()
    const replacement = memoryChannel()
    ports.select = () => selected(replacement)
    dispatcher.rearrange()
    assert.deepEqual([channel.sent, replacement.sent], [[], ids])
  })

  it('does not try what cannot be sent any more', async (t) => {
    const { channel, concluded, dispatcher, ports, arrive } = openTestDispatcher(t)
    channel.places = 0
    arrive()
    await turn()
    ports.select = () => undefined
    dispatcher.rearrange()
    assert.deepEqual(
      concluded.map(({ result }) => result.failure?.class),
      ['config'],
    )
  })
})
