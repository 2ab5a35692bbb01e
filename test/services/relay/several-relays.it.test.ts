/** Several relays on one outbox: they share it, and one takes over from another that dies. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Database, openDatabase } from '#libs/database'
import { testDatabase, waitFor } from '../../support/servers.ts'
import { enqueue, mailTo, memoryKafka, PARTITIONS, rowsLeft, startRelay } from './open-relay.ts'

const LEASE_MS = 2_500

async function ownedBy(database: Database): Promise<Map<string, number[]>> {
  const { rows } = await database.query<{ owner: string; shard: number }>({
    text: 'select owner, shard from outbox.relay_shard where lease_until > now()',
  })
  const owned = new Map<string, number[]>()
  for (const { owner, shard } of rows) owned.set(owner, [...(owned.get(owner) ?? []), shard])
  return owned
}

describe('several relays', () => {
  it('share the shards by whole partitions, and take over those of a dead one', { timeout: 60_000 }, async (t) => {
    const { url } = await testDatabase(t)
    await using database = openDatabase({ url, applicationName: 'test' })
    const { log, send } = memoryKafka()
    const first = startRelay(t, url, send, { leaseMs: LEASE_MS })
    await waitFor(async () => (await ownedBy(database)).get(first.owner)?.length === 64)
    const second = startRelay(t, url, send, { leaseMs: LEASE_MS })
    const shared = await waitFor(async () => {
      const owned = await ownedBy(database)
      return [first, second].every(({ owner }) => owned.get(owner)?.length === 32) ? owned : undefined
    })
    for (const shards of shared.values())
      assert.equal(new Set(shards.map((shard) => shard % PARTITIONS)).size, PARTITIONS / 2)

    const recipients = Array.from({ length: 64 }, (_, i) => `user-${i}@example.org`)
    const before = await enqueue(
      database,
      recipients.map((recipient) => mailTo(recipient)),
    )
    await waitFor(async () => (await rowsLeft(database)) === 0)
    const killed = first.kill()
    const after = await enqueue(
      database,
      recipients.map((recipient) => mailTo(recipient)),
    )
    await waitFor(async () => (await rowsLeft(database)) === 0, { message: 'the rows of the dead relay stay' })
    await killed
    assert.deepEqual(new Set(log.map(({ record }) => record.headers.ce_id)), new Set([...before, ...after]))
    assert.equal((await ownedBy(database)).get(second.owner)?.length, 64)
    await second.stop()
  })
})
