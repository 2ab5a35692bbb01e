import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Delivery } from '../../../services/courier/delivery.ts'
import { HAND_OVER_AFTER_MS, handOver, handOverCrowd, handOverOld } from '../../../services/courier/hand-over.ts'
import { DONE } from '../../../services/courier/ledger-state.ts'
import { claimedDelivery, deliveryOf, memoryStream, silent } from './deliveries.ts'

const REFUSED = Object.assign(new Error('invalid byte sequence'), { code: '22021' })

interface Item {
  readonly id: string
  readonly payload: string
}

/** @param owns whether the ledger takes a message; it refuses a whole statement for what `refuses` says. */
function setup(owns: (id: string) => boolean = () => true, refuses: (id: string) => boolean = () => false) {
  const items: Item[] = []
  const released: string[] = []
  /** Concluded meanwhile. */
  const ended = new Set<string>()
  const ledger = {
    handOver: async (given: readonly Item[]) => {
      if (given.some(({ id }) => refuses(id))) throw REFUSED
      items.push(...given)
      return given.map(({ id }) => id).filter(owns)
    },
    release: async (given: readonly { id: string }[]) => void released.push(...given.map(({ id }) => id)),
    lookUp: async (ids: readonly string[]) =>
      ids.filter((id) => ended.has(id)).map((id) => ({ id, state: DONE, dispatch: 0, handedOver: true, event: '{}' })),
  }
  const publisher = { republish: () => assert.fail('an event in the event outbox is published from there') }
  const stream = memoryStream()
  const nowMs = Date.now()
  const aged = (ageMs: number, stage: Delivery['stage'] = 'waiting') => {
    const delivery = { ...deliveryOf({}, stream), receivedAtMs: nowMs - ageMs, stage }
    stream.add(delivery)
    return delivery
  }
  return { items, released, ended, ports: { ledger, publisher, log: silent }, stream, aged, nowMs }
}

describe('handOverOld', () => {
  it('hands over what is past the age, payload and all, and completes its offset', async () => {
    const { items, ports, stream, aged, nowMs } = setup()
    const old = aged(HAND_OVER_AFTER_MS + 1)
    const young = aged(HAND_OVER_AFTER_MS - 1_000)
    assert.equal(await handOverOld(stream, ports, nowMs), 1)
    assert.deepEqual(stream.finished, [old])
    assert.deepEqual([...stream.open], [young])
    assert.equal(items[0]?.payload, `${old.traceparent}\n${old.tracestate}\n${old.recordJson}`)
    assert.deepEqual([old.handedOver, old.stage], [true, 'done'])
    assert.deepEqual([young.handedOver, young.stage], [false, 'waiting'])
  })

  for (const stage of ['ready', 'sending', 'concluding'] as const) {
    it(`lets a message that is ${stage} go on`, async () => {
      const { ports, stream, aged, nowMs } = setup()
      const delivery = aged(5_000, stage)
      await handOverOld(stream, ports, nowMs)
      assert.deepEqual([delivery.handedOver, delivery.stage, stream.finished], [true, stage, [delivery]])
    })
  }

  it('leaves alone what is being claimed, and what is done and waits for its event', async () => {
    const { items, ports, stream, aged, nowMs } = setup()
    aged(5_000, 'claiming')
    aged(5_000, 'done')
    assert.equal(await handOverOld(stream, ports, nowMs), 0)
    assert.deepEqual(items, [])
  })

  it('first gives back what the ledger may hold for this courier without its knowledge', async () => {
    const { items, released, ports, stream, aged, nowMs } = setup()
    const unanswered = Object.assign(aged(5_000), { unanswered: true })
    const sentHere = aged(5_000, 'sending')
    const again = Object.assign(aged(5_000), { unanswered: true, record: sentHere.record })
    await handOverOld(stream, ports, nowMs)
    assert.deepEqual(released, [unanswered.record.id])
    assert.equal(items.length, 3)
    assert.deepEqual(stream.finished, [unanswered, sentHere, again])
  })

  it('leaves no old message behind, however many there are', async () => {
    const { ports, stream, aged, nowMs } = setup()
    for (let i = 0; i < 950; i++) aged(5_000)
    assert.equal(await handOverOld(stream, ports, nowMs), 950)
    assert.equal(stream.open.size, 0)
  })

  it('keeps the offsets open of what the ledger does not take', async () => {
    const { ports, stream, aged, nowMs } = setup(() => false)
    for (let i = 0; i < 250; i++) aged(5_000)
    assert.equal(await handOverOld(stream, ports, nowMs), 0)
    assert.equal(stream.open.size, 250)
  })

  it('completes the offsets of what was cancelled meanwhile, and goes on to what stands behind it', async () => {
    const { items, ended, ports, stream, aged, nowMs } = setup((id) => !ended.has(id))
    for (let i = 0; i < 450; i++) ended.add(aged(5_000).record.id)
    const behind = aged(5_000)
    assert.equal(await handOverOld(stream, ports, nowMs), 451)
    assert.equal(stream.open.size, 0)
    assert.equal(items.at(-1)?.id, behind.record.id)
    assert.equal(behind.handedOver, true)
  })
})

describe('handOver', () => {
  it('hands over the others when the database refuses one', async () => {
    const stream = memoryStream()
    const deliveries = Array.from({ length: 5 }, () => claimedDelivery({}, stream))
    const culprit = deliveries[3]!
    const { ports } = setup(undefined, (id) => id === culprit.record.id)
    assert.equal(await handOver(deliveries, ports), 4)
    assert.deepEqual([...stream.open], [culprit])
    assert.equal(culprit.handedOver, false)
  })
})

describe('handOverCrowd', () => {
  const keyOf = ({ record }: Delivery) => record.template_type

  function crowd(sick: number, well: number) {
    const found = setup()
    const add = (template_type: string) => {
      const delivery = deliveryOf({ template_type }, found.stream)
      found.stream.add(delivery)
      return delivery
    }
    return {
      ...found,
      sick: Array.from({ length: sick }, () => add('sick')),
      well: Array.from({ length: well }, () => add('well')),
    }
  }

  it('hands over what one channel has beyond its share while others wait', async () => {
    const { sick, ports, stream } = crowd(7, 2)
    assert.equal(await handOverCrowd(stream, ports, { most: 4, keyOf }), 3)
    assert.deepEqual(stream.finished, sick.slice(4))
  })

  it('leaves a channel alone that is the only one', async () => {
    const { ports, stream } = crowd(7, 0)
    assert.equal(await handOverCrowd(stream, ports, { most: 4, keyOf }), 0)
  })
})
