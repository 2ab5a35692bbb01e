import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import { openSealer } from '#libs/messages'
import { deleteOld, fromDatabaseTx, measureBacklog, openOutbox } from '#libs/outbox'
import { testDatabase } from '../../support/servers.ts'

describe('the upkeep of the outbox', () => {
  it('measures what waits, and deletes keys after 24 h', async (t) => {
    const { url } = await testDatabase(t)
    await using database = openDatabase({ url, applicationName: 'test' })
    const outbox = openOutbox(openSealer(['the secret of the upkeep tests']))
    const shards = Array.from({ length: 64 }, (_, shard) => ({ shard, low: 0 }))
    assert.deepEqual(await measureBacklog(database, shards), { pending: 0, oldestAgeS: 0 })
    assert.deepEqual(await measureBacklog(database, []), { pending: 0, oldestAgeS: 0 })
    for (const key of ['old', 'new']) {
      const message = { recipient: `${key}@example.org`, template_type: 'stub', template_data: {} }
      const idempotency = { scope: 's', key, request: 1 }
      await database.transaction((tx) => outbox.enqueue(fromDatabaseTx(tx), [message], idempotency))
      if (key === 'new') break
      await database.query({ text: "update outbox.idempotency set created_at = now() - interval '25 hours'" })
      await database.query({ text: "update outbox.message set created_at = now() - interval '1 minute'" })
    }
    const { pending, oldestAgeS } = await measureBacklog(database, shards)
    assert.equal(pending, 2)
    assert.ok(oldestAgeS >= 60)
    assert.equal(await deleteOld(database), 1)
    assert.equal(await deleteOld(database), 0)
  })
})
