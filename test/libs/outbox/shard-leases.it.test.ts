import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Database, openDatabase } from '#libs/database'
import { openSealer } from '#libs/messages'
import {
  deleteRows,
  fromDatabaseTx,
  leaseShards,
  leaveRelays,
  openOutbox,
  readRows,
  releaseShards,
  setRowAside,
} from '#libs/outbox'
import { type TestDatabase, testDatabase, waitFor } from '../../support/servers.ts'

const PARTITIONS = 8
const LONG_MS = 3_600_000

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
beforeEach(async () => {
  await database.query({
    text: `truncate outbox.relay_member, outbox.message;
      update outbox.relay_shard set owner = null, lease_until = '-infinity'`,
  })
})

function lease(owner: string, leaseMs = LONG_MS, taking = true) {
  return leaseShards(database, { owner, partitions: PARTITIONS, leaseMs, taking })
}

async function shardsOf(owner: string): Promise<number[]> {
  const text = 'select shard from outbox.relay_shard where owner = $1 and lease_until > now() order by shard'
  return (await database.query<{ shard: number }>({ text, values: [owner] })).rows.map(({ shard }) => shard)
}

/** As if the owner had been silent for longer than its lease. */
async function expire(owner: string): Promise<void> {
  const values = [owner]
  await database.query({
    text: "update outbox.relay_shard set lease_until = now() - interval '1 ms' where owner = $1",
    values,
  })
  await database.query({
    text: "update outbox.relay_member set seen_at = now() - interval '1 day' where id = $1",
    values,
  })
}

function residues(shards: readonly number[]): number[] {
  return [...new Set(shards.map((shard) => shard % PARTITIONS))].sort((a, b) => a - b)
}

describe('leaseShards', () => {
  it('gives a lone relay everything, and renews it under the same fences', async () => {
    const first = await lease('a')
    assert.equal(first.live, 1)
    assert.equal(first.held.length, 64)
    const byShard = (held: typeof first.held) => held.toSorted((a, b) => a.shard - b.shard)
    assert.deepEqual(byShard((await lease('a')).held), byShard(first.held))
  })

  it('gives a second relay only what is free, and its fair share in whole partitions once that is released', async () => {
    const { held } = await lease('a')
    assert.deepEqual((await lease('b')).held, [])
    const { live } = await lease('a')
    assert.equal(live, 2)
    await releaseShards(
      database,
      'a',
      held.filter(({ shard }) => shard % PARTITIONS >= 3),
    )
    const taken = (await lease('b')).held.map(({ shard }) => shard)
    assert.equal(taken.length, 32)
    assert.equal(residues(taken).length, 4)
  })

  it('never grants a shard twice when many relays ask at once', async () => {
    const owners = ['a', 'b', 'c', 'd', 'e']
    const rounds = await Promise.all(owners.flatMap((owner) => [lease(owner), lease(owner)]))
    assert.ok(rounds.every(({ held }) => residues(held.map(({ shard }) => shard)).length * 8 === held.length))
    const owned = (await Promise.all(owners.map(shardsOf))).flat()
    assert.equal(new Set(owned).size, owned.length)
    assert.equal(owned.length, 64)
  })

  it('lets a silent relay be taken over when its lease has ended', async () => {
    await lease('dead', 300)
    const { held } = await waitFor(async () => {
      const leases = await lease('heir', 300)
      return leases.held.length === 64 ? leases : undefined
    })
    assert.ok(held.every(({ fence }) => fence > 1))
    assert.deepEqual(await shardsOf('dead'), [])
  })

  it('tells a relay that returns too late that its shards are gone', async () => {
    await lease('zombie')
    await expire('zombie')
    await lease('heir')
    const { held } = await lease('zombie')
    assert.deepEqual(held, [])
    assert.equal((await shardsOf('heir')).length, 64)
  })

  it('grants anew, under a new fence, what ended and nobody took', async () => {
    const before = await lease('a')
    await expire('a')
    const { held } = await lease('a')
    assert.equal(held.length, 64)
    assert.ok(Math.min(...held.map(({ fence }) => fence)) > Math.min(...before.held.map(({ fence }) => fence)))
  })

  it('takes nothing when told to renew only', async () => {
    assert.deepEqual((await lease('a', LONG_MS, false)).held, [])
    await lease('a')
    assert.equal((await lease('a', LONG_MS, false)).held.length, 64)
  })

  it('frees everything at once when a relay leaves', async () => {
    await lease('a')
    await leaveRelays(database, 'a')
    const { live, held } = await lease('b')
    assert.deepEqual([live, held.length], [1, 64])
  })

  it('does not release what has another owner or fence by now', async () => {
    const { held } = await lease('a')
    await expire('a')
    await lease('b')
    await releaseShards(database, 'a', held)
    await releaseShards(database, 'b', held)
    assert.equal((await shardsOf('b')).length, 64)
  })
})

describe('a relay that has lost its shards', () => {
  it('can neither remove rows nor set them aside', async () => {
    const outbox = openOutbox(openSealer(['the secret of the lease tests']))
    const message = { recipient: 'ada@example.org', template_type: 'stub', template_data: {} }
    await database.transaction((tx) => outbox.enqueue(fromDatabaseTx(tx), [message]))
    const { held } = await lease('zombie')
    const windows = held.map(({ shard }) => ({ shard, low: 0, flying: new Set<number>() }))
    const rows = await readRows(database, windows, { rows: 10, bytes: 1_000_000 })
    assert.equal(rows.length, 1)
    await expire('zombie')
    await lease('heir')
    const { key, value, shard, seq } = rows[0]!
    await deleteRows(database, 'zombie', rows)
    const culprit = { shard, seq, key: String(key), value: String(value), traceparent: '', reason: 'none' }
    assert.equal(await setRowAside(database, 'zombie', culprit), false)
    const left = async () => (await database.query({ text: 'select from outbox.message' })).rowCount
    assert.equal(await left(), 1)
    await deleteRows(database, 'heir', rows)
    assert.equal(await left(), 0)
  })
})

describe('readRows', () => {
  it('leaves out what is under way, and bounds what it returns by rows and bytes per shard', async () => {
    const outbox = openOutbox(openSealer(['the secret of the lease tests']))
    const message = { recipient: 'ada@example.org', template_type: 'stub', template_data: { body: 'x'.repeat(10_000) } }
    await database.transaction((tx) =>
      outbox.enqueue(
        fromDatabaseTx(tx),
        Array.from({ length: 10 }, () => message),
      ),
    )
    const { rows } = await database.query<{ shard: number; seq: number }>({
      text: 'select shard, seq from outbox.message order by seq',
    })
    const { shard } = rows[0]!
    const seqs = rows.map(({ seq }) => seq)
    const read = async (low: number, flying: readonly number[], limits = { rows: 100, bytes: 10_000_000 }) =>
      (await readRows(database, [{ shard, low, flying: new Set(flying) }], limits)).map(({ seq }) => seq)
    assert.deepEqual(await read(0, []), seqs)
    assert.deepEqual(await read(seqs[4]!, [seqs[5]!]), [seqs[4], ...seqs.slice(6)])
    assert.deepEqual(await read(0, seqs.slice(0, 3), { rows: 4, bytes: 10_000_000 }), seqs.slice(3, 7))
    assert.deepEqual(await read(0, [], { rows: 100, bytes: 30_000 }), seqs.slice(0, 2))
    assert.deepEqual(await read(0, [], { rows: 100, bytes: 10 }), seqs.slice(0, 1))
  })
})
