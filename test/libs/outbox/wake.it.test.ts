import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Statement, Tx } from '#libs/database'
import { openDatabase } from '#libs/database'
import { openSealer } from '#libs/messages'
import { openOutbox, WAKE_CHANNEL } from '#libs/outbox'
import { testDatabase, waitFor } from '../../support/servers.ts'

const outbox = () => openOutbox(openSealer(['the secret of the wake tests']))

describe('wake', () => {
  it('reaches whoever listens', async (t) => {
    const { url } = await testDatabase(t)
    await using database = openDatabase({ url, applicationName: 'test' })
    let calls = 0
    await using _ = await database.listen(WAKE_CHANNEL, () => void calls++)
    await waitFor(() => calls === 1)
    await outbox().wake(database)
    await waitFor(() => calls === 2)
  })

  it('notifies once for all who ask within 20 ms of the first, and resolves after their notification', async () => {
    let sent = 0
    const query = (async (_: Statement) => ({ rows: [], rowCount: 0, sent: ++sent })) as unknown as Tx['query']
    const { wake } = outbox()
    await wake({ query })
    assert.equal(sent, 1)
    const startedMs = performance.now()
    const asked = Array.from({ length: 50 }, () => wake({ query }))
    const isSoon = performance.now() - startedMs < 15
    await Promise.all(asked)
    assert.ok(sent >= 2)
    if (isSoon) assert.equal(sent, 2)
  })
})
