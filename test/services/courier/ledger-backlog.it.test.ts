import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { measureLedger, observeLedger } from '../../../services/courier/ledger-backlog.ts'
import { openMeter } from '../../libs/telemetry/memory-meter.ts'
import { newId } from './deliveries.ts'
import { claimOf, conclusion, handOverOf, openTwoLedgers } from './ledgers.ts'

const MINUTE_MS = 60_000

describe('measureLedger', () => {
  it('counts what waits by channel, how long the longest has been due, and what is held', async (t) => {
    const { a, database } = await openTwoLedgers(t)
    const now = Date.now()
    const item = (dueInMs: number, more = {}) => ({ ...handOverOf(newId()), dueAt: new Date(now + dueInMs), ...more })
    await a.handOver([item(-5 * MINUTE_MS), item(-MINUTE_MS, { lane: 'notice' as const }), item(MINUTE_MS)])
    await a.handOver([item(-2 * MINUTE_MS, { channel: 'sms' })])
    const heldId = newId()
    await a.claim([claimOf(heldId)])
    await a.conclude([{ ...conclusion(heldId), state: 'held', dueAt: new Date(now - MINUTE_MS), payload: 'p' }])
    const found = new Map((await measureLedger(database)).map((backlog) => [backlog.channel, backlog]))
    const { pending, held, overdueS } = found.get('email')!
    assert.deepEqual({ pending, held }, { pending: 3, held: 1 })
    assert.ok(overdueS >= 300 && overdueS < 360, String(overdueS))
    assert.equal(found.get('sms')!.pending, 1)
  })

  it('finds nothing in an empty ledger', async (t) => {
    const { database } = await openTwoLedgers(t)
    assert.deepEqual(await measureLedger(database), [])
  })
})

describe('observeLedger', () => {
  it('says 0 where nothing waits any more', async (t) => {
    const { a, b, database } = await openTwoLedgers(t)
    const { meter, read } = openMeter()
    const measure = observeLedger(meter, database)
    await a.handOver([handOverOf(newId())])
    await measure()
    assert.deepEqual(await read('courier.retry.pending'), { 'channel=email': 1 })
    const [claimed] = await b.claimDue(1)
    await b.conclude([conclusion(claimed!.id)])
    await measure()
    assert.deepEqual(await read('courier.retry.pending'), { 'channel=email': 0 })
  })
})
