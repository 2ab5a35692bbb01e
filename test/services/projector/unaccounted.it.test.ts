import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import pino from 'pino'
import { openDatabase } from '#libs/database'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { findUnaccounted } from '../../../services/projector/unaccounted.ts'
import { watchUnaccounted } from '../../../services/projector/watch-unaccounted.ts'
import { testDatabase, waitFor } from '../../support/servers.ts'
import { newId } from './records.ts'

async function setup(t: TestContext) {
  const { url } = await testDatabase(t)
  const database = openDatabase({ url, applicationName: 'test' })
  t.after(() => database[Symbol.asyncDispose]())
  /** A message in `state` whose life ended that many minutes ago. */
  const project = async (state: string, minutesAgo: number): Promise<string> => {
    const id = newId()
    await database.query({
      text: `insert into console.message (id, project_id, channel, template_type, lane, facts_from, created_at, expires_at, state, updated_at)
             values ($1, $2, 'email', 'login_code_valid', 'urgent', 'record', now() - interval '2 hours',
                     now() - $3 * interval '1 minute', $4, now())`,
      values: [id, DEFAULT_PROJECT_ID, minutesAgo, state],
    })
    return id
  }
  const accept = async (minutesAgo: number): Promise<string> => {
    const id = newId()
    await database.query({
      text: `insert into console.accepted (id, project_id, channel, template_type, lane, sealed, recipient_hash, created_at, expires_at)
             values ($1, $2, 'email', 'login_code_valid', 'urgent', 's', 'h', now() - interval '2 hours',
                     now() - $3 * interval '1 minute')`,
      values: [id, DEFAULT_PROJECT_ID, minutesAgo],
    })
    return id
  }
  return { database, project, accept }
}

describe('findUnaccounted', () => {
  it('finds what has no end ten minutes after its life, accepted messages too', async (t) => {
    const { database, project, accept } = await setup(t)
    const lost = [
      await project('queued', 11),
      await project('deferred', 30),
      await project('held', 11),
      await accept(11),
    ]
    for (const state of ['sent', 'delivered', 'bounced', 'abandoned', 'expired', 'superseded', 'cancelled'])
      await project(state, 60)
    await project('queued', 9)
    await project('held', -60)
    await accept(9)
    const { count, ids } = await findUnaccounted(database)
    assert.equal(count, lost.length)
    assert.deepEqual([...ids].toSorted(), lost.toSorted())
  })

  it('finds nothing where all is told', async (t) => {
    const { database } = await setup(t)
    assert.deepEqual(await findUnaccounted(database), { count: 0, ids: [] })
  })
})

describe('watchUnaccounted', () => {
  it('looks at once, tells the number, and stops when told to', async (t) => {
    const { database, project } = await setup(t)
    await project('queued', 20)
    const stop = new AbortController()
    const found: number[] = []
    const watching = watchUnaccounted({
      database,
      log: pino({ level: 'silent' }),
      onFound: (count) => void found.push(count),
      stopping: stop.signal,
    })
    await waitFor(() => found.length > 0)
    stop.abort()
    await watching
    assert.deepEqual(found, [1])
  })
})
