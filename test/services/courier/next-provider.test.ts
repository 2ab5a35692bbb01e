import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MessageRecord } from '#libs/messages'
import type { Blockage } from '../../../services/courier/admission/breaker.ts'
import type { Delivery } from '../../../services/courier/delivery.ts'
import {
  dueRoom,
  freshRoom,
  isNextElsewhere,
  providerFor,
  untilProbeMs,
} from '../../../services/courier/next-provider.ts'
import { claimedDelivery, memoryChannel, recordOf, selected } from './deliveries.ts'

const BLOCKAGE: Blockage = { failure: { class: 'network', message: 'refused' }, sinceMs: 0, nextProbeAtMs: 0 }

function pair(blocked: readonly ('first' | 'next')[] = []) {
  const blockageOf = (name: 'first' | 'next') => () => (blocked.includes(name) ? BLOCKAGE : undefined)
  const next = selected(memoryChannel(), { key: 'email.next', blockage: blockageOf('next') })
  return { first: selected(memoryChannel(), { next, blockage: blockageOf('first') }), next }
}

type Counters = Partial<Pick<Delivery, 'dispatch' | 'unknowns' | 'reclaims' | 'via'>>

const message = (lane: MessageRecord['lane'], counters: Counters = {}): Delivery =>
  claimedDelivery({ record: recordOf({ lane }), ...counters })

/** Which of the two takes the try. */
function chosen(delivery: Delivery, blocked: readonly ('first' | 'next')[] = []): 'first' | 'next' {
  const { first, next } = pair(blocked)
  return providerFor(delivery, first, ({ blockage }) => blockage() === undefined) === next ? 'next' : 'first'
}

describe('providerFor', () => {
  it('gives urgent mail to the two in turn, and notices to the first', () => {
    const turns = [1, 2, 3, 4].map((dispatch) => chosen(message('urgent', { dispatch })))
    assert.deepEqual(turns, ['first', 'next', 'first', 'next'])
    assert.equal(chosen(message('notice', { dispatch: 2 })), 'first')
  })

  it('takes the other one while the one whose turn it is stands still', () => {
    for (const lane of ['urgent', 'notice'] as const) assert.equal(chosen(message(lane), ['first']), 'next')
    assert.equal(chosen(message('urgent', { dispatch: 2 }), ['next']), 'first')
    assert.equal(chosen(message('urgent'), ['first', 'next']), 'first')
  })

  for (const [what, counters] of [
    ['a try had no answer', { dispatch: 2, unknowns: 1 }],
    ['a courier died while it held it', { dispatch: 2, reclaims: 1 }],
  ] as const) {
    it(`stays with the first, whatever stands in its way, once ${what}`, () => {
      assert.equal(chosen(message('urgent', counters)), 'first')
      assert.equal(chosen(message('urgent', counters), ['first']), 'first')
    })
  }

  it('has no choice without a next provider', () => {
    const only = selected(memoryChannel())
    assert.equal(
      providerFor(message('urgent', { dispatch: 2 }), only, () => false),
      only,
    )
  })
})

describe('isNextElsewhere', () => {
  it('is so after the first try of urgent mail at the first provider, while the next one is open', () => {
    const { first, next } = pair()
    assert.equal(isNextElsewhere(message('urgent', { via: first })), true)
    assert.equal(isNextElsewhere(message('urgent', { via: first, dispatch: 3 })), false)
    assert.equal(isNextElsewhere(message('urgent', { via: next })), false)
    assert.equal(isNextElsewhere(message('notice', { via: first })), false)
    assert.equal(isNextElsewhere(message('urgent', { via: pair(['next']).first })), false)
    assert.equal(isNextElsewhere(message('urgent', { via: selected(memoryChannel()) })), false)
    assert.equal(isNextElsewhere(message('urgent')), false)
  })
})

describe('freshRoom and dueRoom', () => {
  const places = (first: number, next: number) => (key: string) => (key === 'email' ? first : next)

  it('are those of the channel where there is no next one', () => {
    const only = selected(memoryChannel())
    assert.deepEqual([freshRoom(only, places(7, 3)), dueRoom(only, places(7, 3))], [7, 7])
  })

  it('are those of the first for new mail, and of the fuller one for what fell due, while both are open', () => {
    const { first } = pair()
    assert.deepEqual([freshRoom(first, places(7, 3)), dueRoom(first, places(7, 3))], [7, 3])
    assert.equal(dueRoom(first, places(0, 3)), 0)
  })

  it('are those of the other one while one is blocked, beside the probe', () => {
    const { first } = pair(['first'])
    assert.deepEqual([freshRoom(first, places(1, 50)), dueRoom(first, places(1, 50))], [51, 51])
    assert.equal(dueRoom(pair(['next']).first, places(50, 0)), 50)
  })

  it('are none while both are', () => {
    const { first } = pair(['first', 'next'])
    assert.deepEqual([freshRoom(first, places(0, 0)), dueRoom(first, places(0, 0))], [0, 0])
  })
})

describe('untilProbeMs', () => {
  it('is the time to the next probe, and a second where that is not known', () => {
    const until = (nextProbeAtMs: number) =>
      untilProbeMs(selected(memoryChannel(), { blockage: () => ({ ...BLOCKAGE, nextProbeAtMs }) }))
    const inMinute = until(Date.now() + 60_000)
    assert.ok(inMinute > 50_000 && inMinute <= 60_000, `${inMinute} ms`)
    assert.equal(until(0), 1_000)
  })
})
