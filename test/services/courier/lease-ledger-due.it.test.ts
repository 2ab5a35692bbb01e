import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newId } from './deliveries.ts'
import { claimOf, conclusion, DAY_MS, EXPIRES_AT, handOverOf, openDueLedgers, openTwoLedgers } from './ledgers.ts'

describe('handOver', () => {
  it('makes a message that waits due at once, for any courier', async (t) => {
    const { b, row, id } = await openDueLedgers(t)
    const { state, handed_over, owner, dispatch } = (await row(id))!
    assert.deepEqual({ state, handed_over, owner, dispatch }, { state: 2, handed_over: true, owner: null, dispatch: 0 })
    const claim = {
      id,
      dispatch: 1,
      charged: 0,
      unknowns: 0,
      reclaims: 0,
      superseded: false,
      payload: `payload of ${id}`,
    }
    assert.deepEqual(await b.claimDue(10), [claim])
  })

  it('makes it due later where that is asked', async (t) => {
    const { a, b, row, id } = await openTwoLedgers(t)
    const dueAt = new Date(Date.now() + 60_000)
    await a.handOver([{ ...handOverOf(id), dueAt }])
    assert.deepEqual((await row(id))!.due_at, dueAt)
    assert.deepEqual(await b.claimDue(10), [])
  })

  it('makes a message that is being sent due when its lease ends, and leaves it to its courier until then', async (t) => {
    const { a, b, row, elapse, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    assert.deepEqual(await b.handOver([handOverOf(id)]), [id])
    const { state, owner, due_at, lease_until } = (await row(id))!
    assert.deepEqual({ state, owner, due_at }, { state: 1, owner: 'a', due_at: lease_until })
    assert.deepEqual(await b.claimDue(10), [])
    await elapse(id)
    assert.equal((await b.claimDue(10))[0]?.reclaims, 1)
  })

  it('lets whoever sends it conclude', async (t) => {
    const { a, b, id, outbox } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await b.handOver([handOverOf(id)])
    assert.equal((await a.conclude([conclusion(id)])).length, 1)
    assert.equal((await outbox()).length, 1)
  })

  it('does not take what is done', async (t) => {
    const { a, row, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await a.conclude([conclusion(id)])
    assert.deepEqual(await a.handOver([handOverOf(id)]), [])
    const { state, payload, due_at } = (await row(id))!
    assert.deepEqual({ state, payload, due_at }, { state: 4, payload: null, due_at: null })
  })

  it('repeated, or twice in one batch, changes nothing', async (t) => {
    const { a, row, id } = await openDueLedgers(t)
    const before = await row(id)
    assert.deepEqual(await a.handOver([handOverOf(id), handOverOf(id)]), [id])
    assert.deepEqual(await row(id), before)
  })
})

describe('claimDue', () => {
  it('takes each message once among concurrent couriers, never more than asked', async (t) => {
    const { a, ledger } = await openTwoLedgers(t)
    const ids = Array.from({ length: 100 }, () => newId())
    await a.handOver(ids.map(handOverOf))
    const claims = await Promise.all(Array.from({ length: 8 }, (_, i) => ledger(`c${i}`).claimDue(15)))
    for (const claimed of claims) assert.ok(claimed.length <= 15)
    const rest = await a.claimDue(1_000)
    const all = [...claims.flat(), ...rest].map(({ id }) => id).sort()
    assert.deepEqual(all, ids)
  })

  it('takes the oldest first', async (t) => {
    const { a, b } = await openTwoLedgers(t)
    const ids = Array.from({ length: 6 }, () => newId())
    const dueAts = [3, 1, 5, 0, 4, 2].map((minutes) => new Date(Date.now() - DAY_MS + minutes * 60_000))
    await a.handOver(ids.map((id, i) => ({ ...handOverOf(id), dueAt: dueAts[i]! })))
    const claimed = (await b.claimDue(3)).map(({ id }) => id)
    assert.deepEqual(new Set(claimed), new Set([ids[3], ids[1], ids[5]]))
  })

  it('counts a reclaim of what was being sent, none of what waited or was held', async (t) => {
    const { a, b, elapse } = await openTwoLedgers(t)
    const [sending, waiting, held] = [newId(), newId(), newId()]
    await a.handOver([sending, waiting, held].map(handOverOf))
    await a.claimDue(3)
    await a.conclude([
      conclusion(waiting, { state: 'waiting', dueAt: EXPIRES_AT }),
      conclusion(held, { state: 'held', dueAt: EXPIRES_AT, unknowns: 2 }),
    ])
    assert.deepEqual(await b.claimDue(3), [])
    for (const id of [sending, waiting, held]) {
      await elapse(id)
      await elapse(id)
    }
    const reclaims = Object.fromEntries((await b.claimDue(3)).map((claim) => [claim.id, claim.reclaims]))
    assert.deepEqual(reclaims, { [sending]: 1, [waiting]: 0, [held]: 0 })
  })

  it('leases what it takes', async (t) => {
    const { a, b, row, id } = await openDueLedgers(t)
    await a.claimDue(1)
    assert.deepEqual(await b.claimDue(1), [])
    const { owner, due_at, lease_until } = (await row(id))!
    assert.deepEqual({ owner, due_at }, { owner: 'a', due_at: lease_until })
  })
})

describe('release', () => {
  it('gives the dispatch number back and makes the message due for anyone', async (t) => {
    const { a, b, row, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await a.release([{ id, dispatch: 1, payload: 'kept' }], 0)
    const { state, dispatch, handed_over, owner } = (await row(id))!
    assert.deepEqual({ state, dispatch, handed_over, owner }, { state: 2, dispatch: 0, handed_over: true, owner: null })
    const claim = { id, dispatch: 1, charged: 0, unknowns: 0, reclaims: 0, payload: 'kept', superseded: false }
    assert.deepEqual(await b.claimDue(1), [claim])
  })

  it('waits as long as asked', async (t) => {
    const { a, b, row, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await a.release([{ id, dispatch: 1, payload: 'kept' }], 30_000)
    assert.deepEqual(await b.claimDue(1), [])
    const waitMs = (await row(id))!.due_at!.getTime() - Date.now()
    assert.ok(waitMs > 0 && waitMs <= 30_000, `due in ${waitMs} ms`)
  })

  it('without a dispatch, gives back whatever its owner has claimed, and nothing of anyone else', async (t) => {
    const { a, b, row, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await b.release([{ id, dispatch: null, payload: 'kept' }], 0)
    assert.equal((await row(id))!.owner, 'a')
    await a.release([{ id, dispatch: null, payload: 'kept' }], 0)
    assert.equal((await b.claimDue(1))[0]?.dispatch, 1)
  })

  it('does nothing to what someone else took over', async (t) => {
    const { a, b, row, elapse, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await elapse(id)
    await b.claim([claimOf(id)])
    const before = await row(id)
    await a.release([{ id, dispatch: 1, payload: 'kept' }], 0)
    assert.deepEqual(await row(id), before)
  })
})

describe('claimDue among channels', () => {
  const SICK = '00000000-0000-7000-8000-0000000000aa'
  const WELL = '00000000-0000-7000-8000-0000000000bb'
  const waiting = (count: number, projectId: string, lane: 'urgent' | 'notice' = 'urgent') =>
    Array.from({ length: count }, () => ({ ...handOverOf(newId()), projectId, lane }))

  it('takes the channels in turn, so that the backlog of one starves nobody', async (t) => {
    const { a } = await openTwoLedgers(t)
    await a.handOver(waiting(60, SICK))
    const well = waiting(3, WELL)
    await a.handOver(well)
    const claimed = (await a.claimDue(20)).map(({ id }) => id)
    assert.ok(claimed.length > 10)
    for (const { id } of well) assert.ok(claimed.includes(id))
  })

  it('gives a channel no more than its share, and none to one that is blocked', async (t) => {
    const { a } = await openTwoLedgers(t)
    await a.handOver([...waiting(5, SICK), ...waiting(5, WELL)])
    const most = (count: number) => ({ own: [{ projectId: SICK, channel: 'email', most: count }], others: [] })
    assert.equal((await a.claimDue(20, most(0))).length, 5)
    assert.equal((await a.claimDue(20, most(1))).length, 1)
    assert.equal((await a.claimDue(20, { own: [], others: [{ channel: 'email', most: 0 }] })).length, 0)
    assert.equal((await a.claimDue(20)).length, 4)
  })

  it('takes urgent messages before notices', async (t) => {
    const { a } = await openTwoLedgers(t)
    await a.handOver(waiting(10, SICK, 'notice'))
    const urgent = waiting(4, SICK)
    await a.handOver(urgent)
    const claimed = await a.claimDue(4)
    assert.deepEqual(claimed.map(({ id }) => id).sort(), urgent.map(({ id }) => id).sort())
  })
})

describe('claimExpired', () => {
  it('takes what expired while it waited, also before it is due, and nothing else', async (t) => {
    const { a, b } = await openTwoLedgers(t)
    const past = new Date(Date.now() - 1_000)
    const expired = { ...handOverOf(newId()), expiresAt: past, dueAt: new Date(Date.now() + 60_000) }
    const sending = { ...claimOf(newId()), expiresAt: past }
    await a.claim([sending])
    await b.handOver([{ ...handOverOf(sending.id), expiresAt: past }, expired, handOverOf(newId())])
    assert.deepEqual(
      (await b.claimExpired(10)).map(({ id }) => id),
      [expired.id],
    )
  })
})

describe('claimDue of codes', () => {
  it('tells which are useless, since a newer one for the same recipient came', async (t) => {
    const { a } = await openTwoLedgers(t)
    const of = (supersedeKey: string | null) => ({ ...handOverOf(newId()), supersedeKey })
    const [old, alone, notice, newer] = [of('ada code'), of('grace code'), of(null), of('ada code')]
    await a.handOver([old, alone, notice])
    await a.claim([newer])
    const claimed = new Map((await a.claimDue(10)).map(({ id, superseded }) => [id, superseded]))
    assert.deepEqual(
      [old, alone, notice].map(({ id }) => claimed.get(id)),
      [true, false, false],
    )
  })
})
