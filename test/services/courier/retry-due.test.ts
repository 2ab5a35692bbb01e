import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Delivery, payloadOf } from '../../../services/courier/delivery.ts'
import type { DueClaim } from '../../../services/courier/lease-ledger.ts'
import { retryDue } from '../../../services/courier/retry-due.ts'
import { deliveryOf, LEASE_MS, silent, TRACEPARENT } from './deliveries.ts'

function setup(room: number, due: readonly DueClaim[]) {
  const asked: number[] = []
  const accepted: Delivery[] = []
  const ports = {
    ledger: {
      claimDue: async (limit: number) => {
        asked.push(limit)
        return due.slice(0, limit)
      },
      claimExpired: async () => [],
    },
    dispatcher: { room: () => room, accept: (claimed: readonly Delivery[]) => void accepted.push(...claimed) },
    shares: () => ({ own: [], others: [] }),
    leaseMs: LEASE_MS,
    log: silent,
  }
  return { asked, accepted, retry: () => retryDue(ports) }
}

function dueClaim(more: Partial<DueClaim> = {}): DueClaim {
  const delivery = deliveryOf()
  const counters = { dispatch: 3, charged: 1, unknowns: 1, reclaims: 2 }
  return { id: delivery.record.id, payload: payloadOf(delivery), superseded: false, ...counters, ...more }
}

describe('retryDue', () => {
  it('claims as much as there is room for', async () => {
    const { asked, accepted, retry } = setup(2, [dueClaim(), dueClaim(), dueClaim()])
    assert.equal(await retry(), 2)
    assert.deepEqual([asked, accepted.length], [[2], 2])
  })

  it('asks nothing while there is no room', async () => {
    const { asked, retry } = setup(0, [dueClaim()])
    assert.equal(await retry(), 0)
    assert.deepEqual(asked, [])
  })

  it('rebuilds the message with its trace and its counters; the ledger owns it', async () => {
    const claim = dueClaim()
    const { accepted, retry } = setup(1, [claim])
    const beforeMs = Date.now()
    await retry()
    const delivery = accepted[0]!
    assert.equal(delivery.record.id, claim.id)
    assert.deepEqual([delivery.traceparent, delivery.tracestate], [TRACEPARENT, 'vendor=1'])
    assert.deepEqual([delivery.dispatch, delivery.charged, delivery.unknowns, delivery.reclaims], [3, 1, 1, 2])
    assert.deepEqual([delivery.origin, delivery.handedOver, delivery.stage], [undefined, true, 'ready'])
    assert.ok(delivery.leaseUntilMs >= beforeMs + LEASE_MS)
    assert.equal(payloadOf(delivery), claim.payload)
  })

  it('goes on with the others where a row cannot be read', async () => {
    const sound = dueClaim()
    const { accepted, retry } = setup(9, [dueClaim({ payload: null }), dueClaim({ payload: 'a\nb\n{' }), sound])
    assert.equal(await retry(), 3)
    assert.deepEqual(
      accepted.map(({ record }) => record.id),
      [sound.id],
    )
  })
})
