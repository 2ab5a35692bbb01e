import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Delivery } from '../../../services/courier/delivery.ts'
import { openReadyQueue } from '../../../services/courier/ready-queue.ts'
import { claimedDelivery, memoryChannel, recordOf, selected } from './deliveries.ts'

const urgent = (): Delivery => claimedDelivery()
const notice = (): Delivery => claimedDelivery({ record: recordOf({ lane: 'notice' }) })
const retry = (): Delivery => claimedDelivery({ dispatch: 2 })

describe('openReadyQueue', () => {
  it('gives urgent first attempts before retries, and retries before notices', () => {
    const queue = openReadyQueue(selected(memoryChannel()))
    const [late, told, first, second] = [retry(), notice(), urgent(), urgent()]
    for (const delivery of [told, late, first, second]) queue.push(delivery)
    assert.equal(queue.size, 4)
    assert.deepEqual([queue.next(), queue.next(), queue.next(), queue.next()], [first, second, late, told])
    assert.equal(queue.next(), undefined)
  })

  it('gives nothing while the channel has no room', () => {
    const channel = memoryChannel(0)
    const queue = openReadyQueue(selected(channel))
    const delivery = urgent()
    queue.push(delivery)
    assert.equal(queue.next(), undefined)
    channel.places = 1
    assert.equal(queue.next(), delivery)
  })

  it('keeps the reserve free of notices, not of urgent mail or retries', () => {
    const channel = memoryChannel(2)
    const queue = openReadyQueue(selected(channel, { reserved: 2 }))
    const [told, late, code] = [notice(), retry(), urgent()]
    for (const delivery of [told, late, code]) queue.push(delivery)
    assert.deepEqual([queue.next(), queue.next(), queue.next()], [code, late, undefined])
    channel.places = 3
    assert.equal(queue.next(), told)
  })

  it('does not ask the channel for room while nothing is ready', () => {
    let asked = 0
    const port = {
      ...memoryChannel(),
      get free() {
        asked += 1
        return 10
      },
    }
    const queue = openReadyQueue(selected(port))
    assert.equal(queue.next(), undefined)
    assert.equal(asked, 0)
    queue.push(urgent())
    queue.next()
    assert.equal(asked, 1)
  })

  it('gives up everything at once, whatever the room', () => {
    const queue = openReadyQueue(selected(memoryChannel(0)))
    const all = [urgent(), retry(), notice()]
    for (const delivery of all) queue.push(delivery)
    assert.deepEqual(queue.drain(), all)
    assert.equal(queue.size, 0)
  })
})
