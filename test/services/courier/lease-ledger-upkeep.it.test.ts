import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { openDatabase } from '#libs/database'
import { newId } from './deliveries.ts'
import { claimOf, conclusion, DAY_MS, type Ledgers, openDueLedgers, openTwoLedgers } from './ledgers.ts'

describe('leftoverEvents', () => {
  async function leftover(t: TestContext): Promise<Awaited<ReturnType<typeof openDueLedgers>>> {
    const found = await openDueLedgers(t)
    await found.a.claimDue(1)
    await found.a.conclude([conclusion(found.id)])
    return found
  }
  const age = ({ database }: Ledgers) =>
    database.query({ text: `update courier.event_outbox set created_at = created_at - interval '6 s'` })

  it('are those that nobody published within 5 s, and come again after as long, until they are forgotten', async (t) => {
    const found = await leftover(t)
    assert.deepEqual(await found.a.leftoverEvents(10), [])
    await age(found)
    const events = await found.a.leftoverEvents(10)
    assert.deepEqual(
      events.map(({ event }) => event),
      [conclusion(found.id).event],
    )
    assert.deepEqual(await found.b.leftoverEvents(10), [])
    await age(found)
    assert.deepEqual(await found.b.leftoverEvents(10), events)
    await age(found)
    await found.a.forgetEvents(events.map(({ outboxId }) => outboxId))
    assert.deepEqual(await found.a.leftoverEvents(10), [])
  })
})

describe('releaseDead', () => {
  it('makes what a dead courier held due at once', async (t) => {
    const { a, b, silence } = await openDueLedgers(t)
    await a.claimDue(1)
    assert.equal(await b.releaseDead(), 0)
    await silence('a', 16)
    assert.equal(await b.releaseDead(), 1)
    assert.equal((await b.claimDue(1))[0]?.reclaims, 1)
  })

  it('does so once, so that the message keeps its place among those that are due', async (t) => {
    const { a, b, row, silence, id } = await openDueLedgers(t)
    await a.claimDue(1)
    await silence('a', 16)
    await b.releaseDead()
    const { due_at } = (await row(id))!
    assert.equal(await b.releaseDead(), 0)
    assert.deepEqual((await row(id))!.due_at, due_at)
  })

  it('leaves alone what an offset owns: its redelivery finds it free', async (t) => {
    const { a, b, row, silence, id } = await openTwoLedgers(t)
    await a.claim([claimOf(id)])
    await silence('a', 16)
    assert.equal(await b.releaseDead(), 0)
    assert.equal((await row(id))!.due_at, null)
  })

  it('leaves alone a courier whose session lives', async (t) => {
    const { url, a, b, silence } = await openDueLedgers(t)
    await a.claimDue(1)
    await silence('a', 16)
    const session = openDatabase({ url, applicationName: 'a', max: 1 })
    t.after(() => session[Symbol.asyncDispose]())
    await session.query({ text: 'select 1' })
    assert.equal(await b.releaseDead(), 0)
    assert.deepEqual(await b.claimDue(1), [])
  })

  it('forgets a courier that has been dead for an hour, and one that left', async (t) => {
    const { database, a, b, silence } = await openTwoLedgers(t)
    await silence('a', 3_700)
    await b.releaseDead()
    await b.leave()
    assert.deepEqual((await database.query({ text: 'select owner from courier.member' })).rows, [])
    await a.heartbeat()
  })
})

describe('maintain', () => {
  const partitions = async ({ database }: Ledgers): Promise<string[]> =>
    (
      await database.query<{ name: string }>({
        text: `select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
               where i.inhparent = 'courier.ledger'::regclass and c.relname <> 'ledger_default' order by 1`,
      })
    ).rows.map(({ name }) => name)
  const weekOf = (at: number): string => {
    const week = new Date(Math.floor(at / (7 * DAY_MS)) * 7 * DAY_MS)
    return `ledger_${week.toISOString().slice(0, 10).replaceAll('-', '')}`
  }

  it('makes the weeks that are missing, from the last one to two ahead, also when two couriers do it at once', async (t) => {
    const found = await openTwoLedgers(t)
    const weeks = [-1, 0, 1, 2].map((week) => weekOf(Date.now() + week * 7 * DAY_MS))
    assert.deepEqual(await partitions(found), weeks)
    await found.database.query({ text: `drop table courier.${weeks[3]}` })
    await Promise.all([found.a.maintain('14 days'), found.b.maintain('14 days')])
    assert.deepEqual(await partitions(found), weeks)
  })

  it('moves what the default partition took for a week that was missing', async (t) => {
    const found = await openTwoLedgers(t)
    const week = weekOf(Date.now() + 14 * DAY_MS)
    await found.database.query({ text: `drop table courier.${week}` })
    const early = newId(Date.now() + 14 * DAY_MS)
    await found.a.claim([claimOf(early)])
    assert.equal((await found.row(early))!.place, 'courier.ledger_default')
    await found.a.maintain('14 days')
    assert.equal((await found.row(early))!.place, `courier.${week}`)
  })

  it('drops what is wholly past the retention, also from the default partition', async (t) => {
    const found = await openTwoLedgers(t)
    const name = weekOf(Date.now() - 35 * DAY_MS)
    const [start, end] = [28, 21].map((days) => `courier.week_start(now()) - interval '${days + 7} days'`)
    await found.database.query({
      text: `do $$ begin execute format('create table courier.${name} partition of courier.ledger for values from (%L) to (%L)',
             courier.id_floor(${start}), courier.id_floor(${end})); end $$`,
    })
    const [old, older, kept] = [
      newId(Date.now() - 35 * DAY_MS),
      newId(Date.now() - 90 * DAY_MS),
      newId(Date.now() - 20 * DAY_MS),
    ]
    await found.a.claim([old, older, kept].map(claimOf))
    assert.equal((await found.row(old))!.place, `courier.${name}`)
    await found.a.maintain('22 days')
    assert.ok(!(await partitions(found)).includes(name))
    assert.deepEqual(await found.a.lookUp([old, older]), [])
    assert.equal((await found.a.lookUp([kept])).length, 1)
  })
})
