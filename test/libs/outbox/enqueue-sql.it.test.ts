import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Database, openDatabase } from '#libs/database'
import { DEFAULT_PROJECT_ID, laneOf, TEMPLATE_TYPES } from '#libs/messages'
import { type TestDatabase, testDatabase } from '../../support/servers.ts'

let created: TestDatabase
let database: Database
before(async () => {
  created = await testDatabase()
  database = openDatabase({ url: created.url, applicationName: 'test' })
})
after(async () => {
  await database[Symbol.asyncDispose]()
  await created[Symbol.asyncDispose]()
})
beforeEach(() => database.query({ text: 'truncate outbox.message, outbox.idempotency' }))

type Arguments = Record<string, unknown>
const GOOD: Arguments = {
  recipient: 'ada@example.org',
  template_type: 'stub',
  template_data: { subject: 's', body: 'b' },
}

/** By names, as another language would call it. */
async function enqueue(more: Arguments = {}): Promise<string> {
  const given = Object.entries({ ...GOOD, ...more })
  const named = given.map(([name], i) => `${name} => $${i + 1}`).join(', ')
  const values = given.map(([, value]) => (typeof value === 'object' && value !== null ? JSON.stringify(value) : value))
  const { rows } = await database.query<{ id: string }>({ text: `select outbox.enqueue(${named}) as id`, values })
  return rows[0]!.id
}

async function stored(): Promise<Record<string, unknown>[]> {
  return (await database.query({ text: 'select * from outbox.message order by seq' })).rows
}

describe('outbox.enqueue', () => {
  it('writes a row in clear with defaults', async () => {
    const id = await enqueue()
    const [row] = await stored()
    assert.equal(row?.id, id)
    assert.equal(row?.project_id, DEFAULT_PROJECT_ID)
    assert.deepEqual(row?.plain, { recipient: 'ada@example.org', template_data: { subject: 's', body: 'b' } })
    assert.deepEqual([row?.channel, row?.lane, row?.key, row?.value], ['email', 'notice', null, null])
    const aheadMs = Number(row?.expires_at) - Date.now()
    assert.ok(aheadMs > 23 * 3_600_000 && aheadMs <= 24 * 3_600_000 + 60_000)
  })

  it('knows every template type and its lane', async () => {
    for (const template_type of TEMPLATE_TYPES) await enqueue({ template_type })
    for (const { template_type, lane } of await stored()) assert.equal(lane, laneOf(String(template_type)))
  })

  it('takes what it is given', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    await enqueue({
      project: DEFAULT_PROJECT_ID,
      channel: 'sms',
      recipient: '+4930901820',
      lane: 'urgent',
      locale: 'de',
      traceparent,
    })
    const [row] = await stored()
    assert.deepEqual([row?.channel, row?.lane, row?.traceparent], ['sms', 'urgent', traceparent])
    assert.equal((row?.plain as Record<string, unknown> | undefined)?.locale, 'de')
  })

  it('keeps one recipient of one project in one shard', async () => {
    for (let i = 0; i < 3; i++) await enqueue()
    for (let i = 0; i < 20; i++) await enqueue({ recipient: `user-${i}@example.org` })
    const shards = (await stored()).map(({ shard }) => shard)
    assert.equal(new Set(shards.slice(0, 3)).size, 1)
    assert.ok(new Set(shards.slice(3)).size > 5, 'others spread')
  })

  it('loses no mail over a trace context that is none', async () => {
    await enqueue({ traceparent: 'garbage' })
    assert.equal((await stored())[0]?.traceparent, null)
  })

  const refused: [RegExp, Arguments][] = [
    [/^recipient: /, { recipient: 'no address' }],
    [/^recipient: /, { recipient: 'ada@example.org, eve@example.org' }],
    [/^recipient: /, { recipient: 'ada@example.org\r\nBcc: eve@example.org' }],
    [/^recipient: /, { recipient: null }],
    [/^recipient: /, { channel: 'sms' }],
    [/^channel: /, { channel: 'fax' }],
    [/^template_type: /, { template_type: 'newsletter' }],
    [/^template_data: /, { template_data: '[]' }],
    [/^template_data: found 700\d* bytes/, { template_data: { body: 'x'.repeat(700_000) } }],
    [/^lane: /, { lane: 'slow' }],
    [/^project: /, { project: 'nobody' }],
    [/^expires_at: .*future/, { expires_at: '2020-01-01T00:00:00Z' }],
    [/^expires_at: .*5 days/, { expires_at: new Date(Date.now() + 6 * 24 * 3_600_000).toISOString() }],
  ]
  for (const [message, more] of refused) {
    it(`refuses ${JSON.stringify(more).slice(0, 60)}`, async () => {
      await assert.rejects(enqueue(more), { code: '22023', message })
      assert.equal((await stored()).length, 0)
    })
  }

  it('replays an idempotency key, and refuses it for other arguments', async () => {
    const id = await enqueue({ idempotency_key: 'k' })
    assert.equal(await enqueue({ idempotency_key: 'k' }), id)
    await assert.rejects(enqueue({ idempotency_key: 'k', locale: 'de' }), {
      code: '23505',
      message: /^idempotency_key: /,
    })
    assert.notEqual(await enqueue({ idempotency_key: 'l' }), id)
    const ids = await Promise.all(Array.from({ length: 8 }, () => enqueue({ idempotency_key: 'm' })))
    assert.equal(new Set(ids).size, 1)
    assert.equal((await stored()).length, 3)
  })
})

describe('outbox.new_ids', () => {
  it('gives distinct UUIDs of version 7 by the clock of the database, nearly in order', async () => {
    const { rows } = await database.query<{ id: string; ms: number }>({
      text: 'select id::text, extract(epoch from clock_timestamp())::float8 * 1000 as ms from outbox.new_ids(2000) id',
    })
    assert.equal(new Set(rows.map(({ id }) => id)).size, 2_000)
    for (const { id, ms } of rows) {
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.ok(Math.abs(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) - ms) < 5_000)
    }
    const prefixes = rows.map(({ id }) => id.slice(0, 18))
    assert.deepEqual(prefixes, prefixes.toSorted())
  })
})
