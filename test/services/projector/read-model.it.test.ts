import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { openDatabase } from '#libs/database'
import { forgetChanges, loadOffset, moveOffsets } from '../../../services/projector/read-model.ts'
import { testDatabase } from '../../support/servers.ts'
import { newId } from './records.ts'

async function setup(t: TestContext) {
  const { url } = await testDatabase(t)
  const database = openDatabase({ url, applicationName: 'test' })
  t.after(() => database[Symbol.asyncDispose]())
  await loadOffset(database, 'status', 0, 0)
  const move = (expected: number, ids: readonly string[]) =>
    moveOffsets(database, [{ topic: 'status', partition: 0, expected, next: expected + 1 }], ids)
  const changes = async () =>
    (await database.query<{ ids: string[] }>({ text: 'select ids from console.change order by xid' })).rows.map(
      ({ ids }) => ids,
    )
  return { database, move, changes }
}

describe('moveOffsets', () => {
  it('notes which messages the transaction changes, and nothing where there are none', async (t) => {
    const { move, changes } = await setup(t)
    const ids = [newId(), newId()]
    assert.equal(await move(0, ids), 1)
    assert.equal(await move(1, []), 1)
    assert.deepEqual(await changes(), [ids])
  })
})

describe('forgetChanges', () => {
  it('drops what is older than ten minutes', async (t) => {
    const { database, move, changes } = await setup(t)
    const [old, fresh] = [newId(), newId()]
    await move(0, [old])
    await database.query({ text: `update console.change set at = at - interval '601 s'` })
    await move(1, [fresh])
    await forgetChanges(database)
    assert.deepEqual(await changes(), [[fresh]])
  })
})
