import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import { down, up } from '../../../db/identity/002_proofs.ts'
import { testDatabase } from '../../support/servers.ts'

describe('002_proofs', () => {
  it('goes down and up again, keeping what the former version knew and wrote', async () => {
    await using server = await testDatabase()
    await using database = openDatabase({ url: server.url, applicationName: 'test', max: 1 })
    const insert = (id: number, columns = '', values = '') =>
      database.query({
        text: `insert into identity.flow (id, kind, code_hash, expires_at${columns})
               values ('00000000-0000-4000-8000-00000000000${id}', 'login', '\\x00', now()${values})`,
      })
    await insert(1)
    await insert(2, ', via', ", 'sms'")
    await down(database.knex)
    await insert(3)
    await up(database.knex)
    const { rows } = await database.query<{ via: string; method: string }>({
      text: 'select via, method from identity.flow',
    })
    assert.deepEqual(rows, [
      { via: 'email', method: 'code' },
      { via: 'email', method: 'code' },
    ])
  })
})
