import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import { openLeaseLedger } from '../../../services/courier/lease-ledger.ts'
import { waitFor } from '../../support/servers.ts'
import { LEASE_MS, newId } from './deliveries.ts'
import { claimOf, conclusion, DAY_MS, handOverOf, openDueLedgers, openTwoLedgers } from './ledgers.ts'

describe('claim', () => {
  it('is exclusive', async (t) => {
    const { a, b, row, id } = await openTwoLedgers(t)
    assert.deepEqual(await a.claim([claimOf(id)]), [{ id, dispatch: 1, charged: 0, unknowns: 0, reclaims: 0 }])
    assert.deepEqual(await b.claim([claimOf(id)]), [])
    assert.deepEqual(await a.claim([claimOf(id)]), [])
    const { owner, state, due_at } = (await row(id))!
    assert.deepEqual({ owner, state, due_at }, { owner: 'a', state: 1, due_at: null })
  })

  it('gives each of many messages to one of many couriers', async (t) => {
    const { ledger } = await openTwoLedgers(t)
    const ids = Array.from({ length: 60 }, () => newId())
    const couriers = ['c', 'd', 'e', 'f']
    for (const owner of couriers) await ledger(owner).heartbeat()
    const shuffled = couriers.map((_, i) => [...ids.slice(i * 15), ...ids.slice(0, i * 15)].map(claimOf))
    const claims = await Promise.all(couriers.map((owner, i) => ledger(owner).claim(shuffled[i]!)))
    assert.deepEqual(
      claims
        .flat()
        .map(({ id }) => id)
        .sort(),
      ids,
    )
  })

  it('takes the same message twice in one batch as one', async (t) => {
    const { a, id } = await openTwoLedgers(t)
    assert.equal((await a.claim([claimOf(id), claimOf(newId()), claimOf(id)])).length, 2)
  })

  it('takes over when the lease has ended, and counts it', async (t) => {
    const { a, b, elapse, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await elapse(id)
    assert.deepEqual(await b.claim([claimOf(id)]), [{ id, dispatch: 2, charged: 0, unknowns: 0, reclaims: 1 }])
  })

  it('takes over from a courier that was silent for 15 s and has no session, before its lease ends', async (t) => {
    const { a, b, silence, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await silence('a', 14)
    assert.deepEqual(await b.claim([claimOf(id)]), [])
    await silence('a', 2)
    assert.equal((await b.claim([claimOf(id)]))[0]?.reclaims, 1)
  })

  it('does not take over while the silent courier has a session', async (t) => {
    const { url, a, b, silence, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await silence('a', 60)
    const session = openDatabase({ url, applicationName: 'a', max: 1 })
    await session.query({ text: 'select 1' })
    assert.deepEqual(await b.claim([claimOf(id)]), [])
    await session[Symbol.asyncDispose]()
    await waitFor(async () => (await b.claim([claimOf(id)])).length === 1)
  })

  it('does not take over within 15 s of the start of the server, when nobody could send a heartbeat', async (t) => {
    const { url, database, a, silence, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await silence('a', 60)
    const startedBefore = (seconds: number) =>
      database.query({
        text: `create or replace function courier.pg_postmaster_start_time() returns timestamptz language sql volatile
               as $$ select clock_timestamp() - interval '${seconds} s' $$`,
      })
    // The function of the same name stands before the server's own.
    const restarted = openDatabase({ url, applicationName: 'test', settings: { search_path: 'courier,pg_catalog' } })
    t.after(() => restarted[Symbol.asyncDispose]())
    const b = openLeaseLedger(restarted, 'b', LEASE_MS)
    await startedBefore(14)
    assert.deepEqual(await b.claim([claimOf(id)]), [])
    await startedBefore(16)
    assert.equal((await b.claim([claimOf(id)])).length, 1)
  })

  it('leaves alone what is done, and tells its stored event', async (t) => {
    const { a, b, elapse, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await a.conclude([conclusion(id)])
    await elapse(id)
    assert.deepEqual(await b.claim([claimOf(id)]), [])
    assert.deepEqual(await b.lookUp([id]), [
      { id, state: 4, dispatch: 1, handedOver: false, event: conclusion(id).event },
    ])
  })

  it('leaves alone what was handed to the ledger, also after its lease', async (t) => {
    const { a, b, elapse, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await a.handOver([handOverOf(id)])
    await elapse(id)
    assert.deepEqual(await b.claim([claimOf(id)]), [])
  })

  it('gives a message once more to the courier that never got the answer, and to nobody else', async (t) => {
    const { a, b, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    assert.deepEqual(await b.claim([claimOf(id)], [id]), [])
    const [again] = await a.claim([claimOf(id)], [id])
    assert.equal(again?.reclaims, 0)
    const [late, written] = [conclusion(id), conclusion(id, { dispatch: again?.dispatch ?? 0 })]
    assert.deepEqual(await a.conclude([late]), [])
    assert.equal((await a.conclude([written])).length, 1)
  })

  it('puts a message into the week of its id, and any other into the default partition', async (t) => {
    const { a, row, id } = await openTwoLedgers(t)
    const [old, future] = [newId(Date.now() - 60 * DAY_MS), newId(Date.now() + 60 * DAY_MS)]
    assert.equal((await a.claim([claimOf(old), claimOf(id), claimOf(future)])).length, 3)
    assert.match((await row(id))!.place, /^courier\.ledger_\d{8}$/)
    for (const other of [old, future]) {
      assert.equal((await row(other))!.place, 'courier.ledger_default')
      assert.equal((await a.conclude([conclusion(other)])).length, 1)
    }
  })
})

describe('conclude', () => {
  it('is fenced by the owner and by the dispatch', async (t) => {
    const { a, b, row, elapse, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    assert.deepEqual(await b.conclude([conclusion(id)]), [])
    assert.deepEqual(await a.conclude([conclusion(id, { dispatch: 2 })]), [])
    await elapse(id)
    assert.equal((await b.claim([claimOf(id)])).length, 1)
    assert.deepEqual(await a.conclude([conclusion(id)]), [])
    assert.equal((await row(id))!.event, null)
    assert.equal((await b.conclude([conclusion(id, { dispatch: 2 })])).length, 1)
    assert.deepEqual(await b.conclude([conclusion(id, { dispatch: 2 })]), [])
  })

  it('counts after the end of the lease as long as nobody took over', async (t) => {
    const { a, elapse, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await elapse(id)
    assert.equal((await a.conclude([conclusion(id)])).length, 1)
  })

  it('of a message that its offset owns writes no event outbox', async (t) => {
    const { a, outbox, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    assert.deepEqual(await a.conclude([conclusion(id)]), [{ id, dispatch: 1, outboxId: null }])
    assert.deepEqual(await outbox(), [])
  })

  it('of a message that the ledger owns writes its event beside it and forgets the payload', async (t) => {
    const { a, row, outbox, id } = await openDueLedgers(t)
    await a.claimDue(1)
    const [concluded] = await a.conclude([conclusion(id)])
    assert.ok(concluded?.outboxId)
    assert.deepEqual(
      (await outbox()).map(({ message_id, event }) => [message_id, event]),
      [[id, conclusion(id).event]],
    )
    const { payload, due_at, owner, state } = (await row(id))!
    assert.deepEqual({ payload, due_at, owner, state }, { payload: null, due_at: null, owner: null, state: 4 })
  })

  for (const state of ['waiting', 'held'] as const) {
    it(`as ${state} hands the message to the ledger, its event beside it`, async (t) => {
      const { a, b, row, outbox, elapse, id } = await openTwoLedgers(t)
      await a.claim([claimOf(id)])
      const dueAt = new Date(Date.now() + 60_000)
      const [concluded] = await a.conclude([conclusion(id, { state, dueAt, payload: 'kept', charged: 3, unknowns: 1 })])
      assert.ok(concluded?.outboxId)
      assert.equal((await outbox()).length, 1)
      const { handed_over, due_at, owner, payload } = (await row(id))!
      assert.deepEqual(
        { handed_over, due_at, owner, payload },
        { handed_over: true, due_at: dueAt, owner: null, payload: 'kept' },
      )
      assert.deepEqual(await b.claimDue(1), [])
      await elapse(id)
      const claim = { id, dispatch: 2, charged: 3, unknowns: 1, reclaims: 0, payload: 'kept', superseded: false }
      assert.deepEqual(await b.claimDue(1), [claim])
    })
  }

  it('does not mix up two dispatches of one message in one batch', async (t) => {
    const { a, elapse, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await elapse(id)
    await a.claim([claimOf(id)])
    const items = [conclusion(id), conclusion(id, { dispatch: 2 })]
    assert.deepEqual(await a.conclude(items), [{ id, dispatch: 2, outboxId: null }])
  })
})
