import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Database, openDatabase, type Tx } from '#libs/database'
import { isCoded } from '#libs/errors'
import {
  DEFAULT_PROJECT_ID,
  decodeMessage,
  idTimeMs,
  MAX_RECORD_BYTES,
  openSealer,
  partitionOfKey,
} from '#libs/messages'
import { fromDatabaseTx, type NewMessage, openOutbox } from '#libs/outbox'
import { type TestDatabase, testDatabase } from '../../support/servers.ts'

const sealer = openSealer(['the secret of the outbox tests'])
const outbox = openOutbox(sealer)

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

function mail(more: Partial<NewMessage> = {}): NewMessage {
  return {
    recipient: 'ada@example.org',
    template_type: 'login_code_valid',
    template_data: { to: 'ada@example.org', login_code: '123456' },
    ...more,
  }
}

async function stored(): Promise<Record<string, unknown>[]> {
  return (await database.query({ text: 'select * from outbox.message order by seq' })).rows
}

function enqueue(messages: readonly NewMessage[], idempotency?: Parameters<typeof outbox.enqueue>[2]) {
  return database.transaction((tx) => outbox.enqueue(fromDatabaseTx(tx), messages, idempotency))
}

async function keys(): Promise<number> {
  return (await database.query({ text: 'select from outbox.idempotency' })).rowCount
}

describe('enqueue', () => {
  it('writes the record, sealed, with what it is routed by', async () => {
    const { ids, replayed } = await enqueue([
      mail({ locale: 'de', identity_id: 'i-1', traceparent: 'tp', source_id: 's' }),
    ])
    const [row] = await stored()
    const record = decodeMessage(String(row?.value))
    assert.equal(replayed, false)
    assert.deepEqual([row?.id, record.id], [ids[0], ids[0]])
    assert.deepEqual(sealer.open(record.project_id, record.sealed), {
      recipient: 'ada@example.org',
      template_data: { to: 'ada@example.org', login_code: '123456' },
    })
    assert.equal(row?.key, sealer.hmac(DEFAULT_PROJECT_ID, 'ada@example.org'))
    assert.equal(row?.shard, partitionOfKey(String(row?.key), 64))
    assert.equal(record.lane, 'urgent')
    assert.equal(record.locale, 'de')
    assert.equal(record.identity_id, 'i-1')
    assert.equal(record.source_id, 's')
    assert.equal(row?.traceparent, 'tp')
    assert.equal(Date.parse(record.created_at), idTimeMs(ids[0]!))
    assert.equal(Date.parse(record.expires_at) - Date.parse(record.created_at), 24 * 3_600_000)
    const clear = JSON.stringify(row)
    assert.ok(!clear.includes('ada@') && !clear.includes('123456'))
  })

  it('keeps the order of its messages, in ids and in places', async () => {
    const { ids } = await enqueue(Array.from({ length: 300 }, () => mail({ template_type: 'stub' })))
    assert.deepEqual(
      (await stored()).map(({ id }) => id),
      ids,
    )
    assert.equal(new Set(ids).size, 300)
  })

  it('takes one statement for the ids and one for all rows', async () => {
    const statements: string[] = []
    await database.transaction((tx) => {
      const { query } = fromDatabaseTx(tx)
      const counted = {
        query: (text: string, values: unknown[]) => {
          statements.push(text)
          return query(text, values)
        },
      }
      return outbox.enqueue(
        counted,
        Array.from({ length: 50 }, () => mail()),
      )
    })
    assert.equal(statements.length, 2)
    assert.equal((await stored()).length, 50)
  })

  it('takes a pg client as it is', async () => {
    const client = await database.connect()
    await client.query('begin')
    const { ids } = await outbox.enqueue(client, [mail()])
    await client.query('commit')
    await client.end()
    assert.equal((await stored())[0]?.id, ids[0])
  })

  it('leaves nothing behind after a rollback, nor after one to a savepoint', async () => {
    const idempotency = { scope: 's', key: 'k', request: 1 }
    await assert.rejects(
      database.transaction(async (tx) => {
        await outbox.enqueue(fromDatabaseTx(tx), [mail()], idempotency)
        throw new Error('the business failed')
      }),
      /the business failed/,
    )
    await database.transaction(async (tx) => {
      await tx.query({ text: 'savepoint before' })
      await outbox.enqueue(fromDatabaseTx(tx), [mail()], idempotency)
      await tx.query({ text: 'rollback to before' })
    })
    assert.deepEqual([(await stored()).length, await keys()], [0, 0])
    assert.equal((await enqueue([mail()], idempotency)).replayed, false)
  })

  const ahead = (ms: number) => new Date(Date.now() + ms)
  const refused: [string, string, Partial<NewMessage>][] = [
    ['a bad recipient', 'RECIPIENT_INVALID', { recipient: 'not an address' }],
    ['an instant that has passed', 'EXPIRES_INVALID', { expires_at: ahead(-1_000) }],
    ['more than five days', 'EXPIRES_INVALID', { expires_at: ahead(5 * 24 * 3_600_000 + 60_000) }],
    ['no instant at all', 'EXPIRES_INVALID', { expires_at: new Date(Number.NaN) }],
    ['more than a record holds', 'MESSAGE_TOO_LARGE', { template_data: { body: 'x'.repeat(700_000) } }],
  ]
  for (const [what, code, more] of refused) {
    it(`refuses ${what} by its index, and writes nothing`, async () => {
      await database.transaction(async (tx) => {
        const attempt = outbox.enqueue(fromDatabaseTx(tx), [mail(), mail(more)], { scope: 's', key: 'k', request: 1 })
        await assert.rejects(attempt, (error: unknown) => {
          assert.ok(isCoded(error, code as 'EXPIRES_INVALID'), String(error))
          assert.equal(error.details?.index, 1)
          assert.ok(!error.message.includes('not an address'))
          if (code === 'MESSAGE_TOO_LARGE') {
            assert.equal(error.details?.max_bytes, MAX_RECORD_BYTES)
            assert.ok(Number(error.details?.size_bytes) > MAX_RECORD_BYTES)
          }
          return true
        })
      })
      assert.deepEqual([(await stored()).length, await keys()], [0, 0])
    })
  }

  it('takes five days, and the largest record there may be', async () => {
    await enqueue([
      mail({ expires_at: ahead(5 * 24 * 3_600_000 - 1_000), template_data: { body: 'x'.repeat(690_000) } }),
    ])
    assert.equal((await stored()).length, 1)
  })
})

describe('enqueue under an idempotency key', () => {
  const idempotency = { scope: 'route', key: 'key-1', request: { body: [1] } }

  it('gives the same ids for the same request, and writes once', async () => {
    const first = await enqueue([mail(), mail()], idempotency)
    assert.deepEqual(await enqueue([mail(), mail()], idempotency), { ids: first.ids, replayed: true })
    assert.equal((await stored()).length, 2)
  })

  it('refuses another request under the same key', async () => {
    await enqueue([mail()], idempotency)
    await assert.rejects(enqueue([mail()], { ...idempotency, request: { body: [2] } }), {
      code: 'IDEMPOTENCY_MISMATCH',
    })
    assert.equal((await stored()).length, 1)
  })

  it('keeps scopes apart, and knows a key across a change of secrets', async () => {
    const { ids } = await enqueue([mail()], idempotency)
    assert.equal((await enqueue([mail()], { ...idempotency, scope: 'other' })).replayed, false)
    const rotated = openOutbox(openSealer(['a newer secret of the tests', 'the secret of the outbox tests']))
    const again = await database.transaction((tx) => rotated.enqueue(fromDatabaseTx(tx), [mail()], idempotency))
    assert.deepEqual(again, { ids, replayed: true })
  })

  it('lets a key go after 24 h', async () => {
    await enqueue([mail()], idempotency)
    await database.query({ text: "update outbox.idempotency set created_at = now() - interval '25 hours'" })
    assert.equal((await enqueue([mail()], { ...idempotency, request: 'another' })).replayed, false)
  })

  it('waits for a concurrent request: it replays what commits, and takes the place of what rolls back', async () => {
    for (const outcome of ['commits', 'rolls back'] as const) {
      const scope = outcome
      const gate = Promise.withResolvers<void>()
      const written = Promise.withResolvers<void>()
      const first = database.transaction(async (tx) => {
        const { ids } = await outbox.enqueue(fromDatabaseTx(tx), [mail()], { ...idempotency, scope })
        written.resolve()
        await gate.promise
        if (outcome === 'rolls back') throw new Error('rolled back')
        return ids
      })
      await written.promise
      const second = enqueue([mail()], { ...idempotency, scope })
      await isBlocked(database)
      gate.resolve()
      const ids = await first.catch(() => undefined)
      const { replayed, ids: secondIds } = await second
      assert.equal(replayed, outcome === 'commits')
      if (ids !== undefined) assert.deepEqual(secondIds, ids)
    }
    assert.equal((await stored()).length, 2)
  })

  it('writes once when ten ask at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => enqueue([mail()], idempotency)))
    assert.equal(all.filter(({ replayed }) => !replayed).length, 1)
    assert.equal(new Set(all.map(({ ids }) => ids[0])).size, 1)
    assert.equal((await stored()).length, 1)
  })
})

describe('the ids of outbox rows', () => {
  const insert = (tx: Tx, id: string) =>
    tx.query({
      text: `insert into outbox.message (id, project_id, channel, template_type, lane, expires_at, key, value)
             values ($1, $2, 'email', 'stub', 'notice', now() + interval '1 hour', $3, '{}')`,
      values: [id, DEFAULT_PROJECT_ID, sealer.hmac(DEFAULT_PROJECT_ID, 'x')],
    })
  const idAt = (ms: number, version = '7') => {
    const time = Math.floor(ms).toString(16).padStart(12, '0')
    return `${time.slice(0, 8)}-${time.slice(8)}-${version}000-8000-000000000001`
  }
  const HOUR = 3_600_000

  it('are of version 7 and of the last 24 h or the next 5 min', async () => {
    for (const id of [idAt(Date.now(), '4'), idAt(Date.now() - 25 * HOUR), idAt(Date.now() + HOUR)])
      await assert.rejects(insert(database, id), { code: '22023', message: /^id: expected a UUID of version 7/ })
    for (const id of [idAt(Date.now() - 23 * HOUR), idAt(Date.now() + 240_000)]) await insert(database, id)
    assert.equal((await stored()).length, 2)
  })
})

/** Until a session of this database waits for another one. */
async function isBlocked(on: Database): Promise<void> {
  for (;;) {
    const { rowCount } = await on.query({
      text: "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    })
    if (rowCount > 0) return
  }
}
