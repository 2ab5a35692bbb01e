/** Writers that commit slowly, roll back, and use savepoints, against a relay whose sends fail: nothing is missed, nothing reordered. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, openDatabase, type Tx } from '#libs/database'
import { CodedError } from '#libs/errors'
import { fromDatabaseTx } from '#libs/outbox'
import { testDatabase, waitFor } from '../../support/servers.ts'
import { mailTo, memoryKafka, outbox, rowsLeft, startRelay, TOPICS } from './open-relay.ts'

const WRITERS = 10
const TRANSACTIONS = 60
const KEYS = 12
/** More rows gather than are read at once. */
const OUTAGE_MS = 4_000

interface Committed {
  readonly id: string
  readonly key: number
}

function under(limit: number): number {
  return Math.floor(Math.random() * limit)
}

/** Locks the key as a service locks its aggregate, so that commits of one key have an order. */
async function writeOne(tx: Tx, key: number): Promise<string[]> {
  await tx.query({ text: 'select pg_advisory_xact_lock($1)', values: [key] })
  const messages = Array.from({ length: 1 + under(12) }, () => mailTo(`user-${key}@example.org`))
  const undone = Math.random() < 0.2
  if (undone) await tx.query({ text: 'savepoint before' })
  const { ids } = await outbox.enqueue(fromDatabaseTx(tx), messages)
  if (undone) await tx.query({ text: 'rollback to before' })
  return undone ? [] : ids
}

async function write(database: Database, committed: Committed[]): Promise<void> {
  for (let i = 0; i < TRANSACTIONS; i++) {
    const key = under(KEYS)
    const written: Committed[] = []
    await database
      .transaction(async (tx) => {
        if (Math.random() < 0.3) await tx.query({ text: 'select pg_current_xact_id()' })
        for (const id of await writeOne(tx, key)) written.push({ id, key })
        await sleep(Math.random() < 0.03 ? 1_500 : under(20))
        if (Math.random() < 0.2) throw new Error('rolled back')
        // Under the lock still: the order here is the order of the commits of a key.
        committed.push(...written)
      })
      .catch((error: Error) => assert.equal(error.message, 'rolled back'))
  }
}

describe('a relay among concurrent writers', () => {
  it('publishes every committed row once, in the order of its key', { timeout: 120_000 }, async (t) => {
    const { url } = await testDatabase(t)
    await using database = openDatabase({ url, applicationName: 'test', max: WRITERS + 1 })
    const outageEndsMs = Date.now() + OUTAGE_MS
    const { log, send } = memoryKafka(async () => {
      await sleep(under(10))
      if (Date.now() < outageEndsMs || Math.random() < 0.15) throw new CodedError('PRODUCE_FAILED', 'not now')
    })
    const relay = startRelay(t, url, send, { leaseMs: 60_000 })
    const committed: Committed[] = []
    await Promise.all(Array.from({ length: WRITERS }, () => write(database, committed)))
    await waitFor(async () => (await rowsLeft(database)) === 0, { timeoutMs: 60_000, message: 'rows were missed' })
    await relay.stop()
    assert.deepEqual(relay.alarms, [], 'no row was found below a low-water mark')

    const published = log
      .filter(({ topic }) => topic === TOPICS.notices)
      .map(({ record }) => String(record.headers.ce_id))
    assert.ok(committed.length > 200)
    assert.deepEqual(published.toSorted(), committed.map(({ id }) => id).toSorted(), 'each of them, and none twice')
    for (let key = 0; key < KEYS; key++) {
      const wanted = committed.filter((one) => one.key === key).map(({ id }) => id)
      const isOfKey = new Set(wanted)
      assert.deepEqual(
        published.filter((id) => isOfKey.has(id)),
        wanted,
      )
    }
  })
})
