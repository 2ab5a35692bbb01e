import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it, type TestContext } from 'node:test'
import '#libs/bus'

const require = createRequire(import.meta.url)
const RequestQueue = require('kafkajs/src/network/requestQueue/index.js')

/** A connected queue, and how many timers were armed since. */
function openQueue(t: TestContext, options: Record<string, unknown> = {}) {
  const timeouts = t.mock.method(globalThis, 'setTimeout')
  const intervals = t.mock.method(globalThis, 'setInterval')
  const silent = () => undefined
  const queue = new RequestQueue({
    maxInFlightRequests: null,
    requestTimeout: 1_000,
    enforceRequestTimeout: true,
    clientId: 'test',
    broker: 'localhost:0',
    logger: { debug: silent, warn: silent },
    ...options,
  })
  queue.scheduleRequestTimeoutCheck()
  t.after(() => queue.destroy())
  const armed = () => timeouts.mock.callCount() + intervals.mock.callCount()
  return { queue, armed }
}

function push(queue: InstanceType<typeof RequestQueue>, correlationId: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const entry = { apiKey: 0, apiName: 'Test', apiVersion: 0, correlationId, resolve, reject }
    queue.push({ entry, expectResponse: true, sendRequest: () => undefined })
  })
}

describe('the patched request queue', () => {
  it('arms no timer when it is connected and nothing is under way', (t) => {
    assert.equal(openQueue(t).armed(), 0)
  })

  it('arms one timer for any number of requests, and none for their answers', async (t) => {
    const { queue, armed } = openQueue(t)
    const answers = Array.from({ length: 100 }, (_, id) => push(queue, id))
    for (let id = 0; id < 100; id++) queue.fulfillRequest({ correlationId: id, payload: Buffer.alloc(0), size: 0 })
    await Promise.all(answers)
    assert.equal(armed(), 1)
  })

  it('gives up the timer when nothing is under way any more', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] })
    const { queue } = openQueue(t)
    const answer = push(queue, 1)
    queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 })
    await answer
    t.mock.timers.tick(1_000)
    assert.equal(queue.requestTimeoutIntervalId, undefined)
  })

  it('rejects a request that is not answered in time', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] })
    const { queue } = openQueue(t)
    const rejected = assert.rejects(push(queue, 1), /timed out/)
    t.mock.timers.tick(2_000)
    await rejected
  })

  it('sends what waits when the throttling of the broker is over', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] })
    const { queue } = openQueue(t)
    queue.maybeThrottle(300)
    push(queue, 1).catch(() => undefined)
    assert.equal(queue.inflight.size, 0)
    t.mock.timers.tick(299)
    assert.equal(queue.inflight.size, 0)
    t.mock.timers.tick(1)
    assert.equal(queue.inflight.size, 1)
  })

  it('sends what waits for a place in flight as soon as one is free', async (t) => {
    const { queue } = openQueue(t, { maxInFlightRequests: 1 })
    const first = push(queue, 1)
    const second = push(queue, 2)
    assert.deepEqual([...queue.inflight.keys()], [1])
    queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 })
    await first
    assert.deepEqual([...queue.inflight.keys()], [2])
    queue.fulfillRequest({ correlationId: 2, payload: Buffer.alloc(0), size: 0 })
    await second
  })
})
