import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { claimOf, conclusion, EXPIRES_AT, handOverOf, type Ledgers, openTwoLedgers } from './ledgers.ts'

const TRACE = 'ab'.repeat(16)
const GIVEN = `00-${TRACE}-${'cd'.repeat(8)}-00`

/** As the console makes it. */
function eventOf(id: string) {
  const data = {
    message_id: id,
    project_id: DEFAULT_PROJECT_ID,
    channel: 'email',
    lane: 'urgent',
    status: 'cancelled',
    dispatch: 0,
    attempt: 0,
    max_attempts: 6,
    possibly_delivered: false,
    expires_at: EXPIRES_AT.toISOString(),
  }
  return { traceparent: GIVEN, createdBy: GIVEN, data }
}

async function command({ database }: Ledgers, op: string, id: string) {
  const { rows } = await database.query<{ outcome: string; state: string | null }>({
    text: 'select * from courier.command($1, $2, $3)',
    values: [id, op, op === 'cancel' ? JSON.stringify(eventOf(id)) : null],
  })
  return [rows[0]!.outcome, rows[0]!.state]
}

/** The one event that waits to be published. */
async function toldOf({ outbox }: Ledgers) {
  const rows = await outbox()
  assert.equal(rows.length, 1)
  return JSON.parse(rows[0]!.event)
}

const told = (status: string, more = {}) => JSON.stringify({ createdBy: 'the first span', data: { status, ...more } })
const PAYLOAD = `00-${TRACE}-${'ef'.repeat(8)}-01\n\n{}`

describe('courier.command cancel', () => {
  it('leaves a terminal row for a message that no courier has touched, so that none can claim it', async (t) => {
    const found = await openTwoLedgers(t)
    assert.deepEqual(await command(found, 'cancel', found.id), ['done', 'cancelled'])
    assert.deepEqual(await found.a.claim([claimOf(found.id)]), [])
    assert.deepEqual(await found.a.handOver([handOverOf(found.id)]), [])
    const [entry] = await found.a.lookUp([found.id])
    assert.deepEqual([entry?.state, entry?.handedOver], [4, true])
    assert.deepEqual(await toldOf(found), eventOf(found.id))
  })

  it('ends what waits, with what the ledger knows of it, and takes its content away', async (t) => {
    const found = await openTwoLedgers(t)
    await found.a.claim([claimOf(found.id)])
    const waiting = { state: 'waiting' as const, dueAt: new Date(Date.now() + 60_000), payload: PAYLOAD, unknowns: 1 }
    await found.a.conclude([conclusion(found.id, { ...waiting, event: told('deferred', { max_attempts: 3 }) })])
    await found.database.query({ text: 'delete from courier.event_outbox' })
    assert.deepEqual(await command(found, 'cancel', found.id), ['done', 'cancelled'])
    const { createdBy, data } = await toldOf(found)
    assert.equal(createdBy, PAYLOAD.split('\n')[0])
    assert.deepEqual([data.dispatch, data.attempt, data.max_attempts, data.possibly_delivered], [1, 1, 3, true])
    const row = await found.row(found.id)
    assert.deepEqual([row?.state, row?.due_at, row?.payload, row?.owner], [4, null, null, null])
    assert.deepEqual(await found.b.claimDue(10), [])
    assert.deepEqual(await found.b.claimExpired(10), [])
  })

  it('is swept up at once, by one courier', async (t) => {
    const found = await openTwoLedgers(t)
    await command(found, 'cancel', found.id)
    const [a, b] = await Promise.all([found.a.leftoverEvents(10), found.b.leftoverEvents(10)])
    assert.equal(a.length + b.length, 1)
  })

  it('comes too late while a courier has the message, and not when that courier is gone', async (t) => {
    const found = await openTwoLedgers(t)
    await found.a.claim([claimOf(found.id)])
    assert.deepEqual(await command(found, 'cancel', found.id), ['too_late', 'processing'])
    assert.deepEqual(await found.outbox(), [])
    await found.elapse(found.id)
    assert.deepEqual(await command(found, 'cancel', found.id), ['done', 'cancelled'])
    assert.equal((await toldOf(found)).data.possibly_delivered, true)
    assert.deepEqual(await found.a.conclude([conclusion(found.id)]), [])
  })

  it('has nothing to end twice, and says how it ended', async (t) => {
    const found = await openTwoLedgers(t)
    await found.a.claim([claimOf(found.id)])
    await found.a.conclude([conclusion(found.id, { event: told('sent') })])
    assert.deepEqual(await command(found, 'cancel', found.id), ['finished', 'sent'])
    assert.deepEqual(await command(found, 'retry', found.id), ['finished', 'sent'])
  })

  it('of two at once is done by one', async (t) => {
    const found = await openTwoLedgers(t)
    const outcomes = await Promise.all([1, 2, 3].map(() => command(found, 'cancel', found.id)))
    assert.deepEqual(outcomes.map(([outcome]) => outcome).sort(), ['done', 'finished', 'finished'])
    await toldOf(found)
  })

  it('or a claim is first, never both', async (t) => {
    const found = await openTwoLedgers(t)
    for (let i = 0; i < 20; i++) {
      const id = found.id.slice(0, -4) + i.toString(16).padStart(4, '0')
      const [claimed, [outcome]] = await Promise.all([found.a.claim([claimOf(id)]), command(found, 'cancel', id)])
      assert.equal(outcome, claimed.length === 1 ? 'too_late' : 'done')
    }
  })
})

describe('courier.command retry', () => {
  const waits = (id: string, state: 'waiting' | 'held') =>
    conclusion(id, { state, dueAt: new Date(Date.now() + 60_000), payload: PAYLOAD, event: told('deferred') })

  for (const state of ['waiting', 'held'] as const) {
    it(`makes a message that is ${state} due now`, async (t) => {
      const found = await openTwoLedgers(t)
      await found.a.claim([claimOf(found.id)])
      await found.a.conclude([waits(found.id, state)])
      assert.deepEqual(await found.b.claimDue(10), [])
      assert.deepEqual(await command(found, 'retry', found.id), ['done', null])
      assert.deepEqual(
        (await found.b.claimDue(10)).map(({ id, dispatch }) => [id, dispatch]),
        [[found.id, 2]],
      )
      assert.deepEqual(await command(found, 'retry', found.id), ['too_late', 'processing'])
    })
  }

  it('forgives the couriers that stopped while they held it, and remembers that a copy may have been sent', async (t) => {
    const found = await openTwoLedgers(t)
    await found.a.claim([claimOf(found.id)])
    await found.a.conclude([waits(found.id, 'held')])
    await found.database.query({ text: 'update courier.ledger set reclaims = 5' })
    await command(found, 'retry', found.id)
    const [due] = await found.b.claimDue(10)
    assert.deepEqual([due?.reclaims, due?.unknowns], [0, 1])
  })

  it('does not know what no courier has touched, and is too late for what has expired', async (t) => {
    const found = await openTwoLedgers(t)
    assert.deepEqual(await command(found, 'retry', found.id), ['unknown', null])
    await found.a.claim([claimOf(found.id)])
    await found.a.conclude([waits(found.id, 'waiting')])
    await found.database.query({ text: `update courier.ledger set expires_at = now() - interval '1 s'` })
    assert.deepEqual(await command(found, 'retry', found.id), ['finished', 'expired'])
  })
})

describe('courier.command', () => {
  it('refuses what it does not know', async (t) => {
    const found = await openTwoLedgers(t)
    await assert.rejects(command(found, 'delete', found.id), /expected cancel or retry/)
    await assert.rejects(
      found.database.query({ text: `select courier.command($1, 'cancel')`, values: [found.id] }),
      /expected the event/,
    )
  })
})
