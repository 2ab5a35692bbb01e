import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import { openSealer } from '#libs/messages'
import { fromDatabaseTx, openFrontier, openOutbox, sampleOutbox } from '#libs/outbox'
import { testDatabase, waitFor } from '../../support/servers.ts'

const message = (name: string) => ({ recipient: `${name}@example.org`, template_type: 'stub', template_data: {} })

describe('the frontier of the outbox', () => {
  // The newest transaction of a server on which nothing else ends: snapshots do not name it.
  it('waits for an open transaction, however long it is and however quiet the server', async (t) => {
    const { url } = await testDatabase(t)
    await using database = openDatabase({ url, applicationName: 'test', max: 2 })
    const outbox = openOutbox(openSealer(['the secret of the frontier test']))
    const frontier = openFrontier()
    const sample = async (): Promise<number | undefined> => {
      frontier.add(await sampleOutbox(database))
      return frontier.value
    }
    await database.transaction((tx) => outbox.enqueue(fromDatabaseTx(tx), [message('before')]))
    const before = await waitFor(sample)

    await database.transaction(async (tx) => {
      await outbox.enqueue(fromDatabaseTx(tx), [message('first')])
      for (let i = 0; i < 5; i++) await sample()
      await outbox.enqueue(fromDatabaseTx(tx), [message('second')])
      for (let i = 0; i < 5; i++) await sample()
      assert.equal(frontier.value, before)
    })
    await waitFor(async () => (await sample()) === before + 2)
  })
})
