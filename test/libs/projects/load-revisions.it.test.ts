import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { openDatabase } from '#libs/database'
import { DEFAULT_PROJECT_ID, openSealer } from '#libs/messages'
import { type LoadRevisionsOptions, loadRevisions, REVISIONS_CHANNEL, type SeenRevisions } from '#libs/projects'
import { openProjects } from '../../support/projects.ts'
import { testDatabase, waitFor } from '../../support/servers.ts'

const SECRET = 'a secret of the test of revisions'
const retries = (message_retries: unknown) => ({ courier: { message_retries } })

async function setup(t: TestContext) {
  const { url } = await testDatabase(t)
  const database = openDatabase({ url, applicationName: 'test' })
  t.after(async () => database[Symbol.asyncDispose]())
  const reported: unknown[] = []
  const log = { error: (found: unknown) => void reported.push(found) }
  const openLoad = (more: Partial<LoadRevisionsOptions> = {}) => {
    const seen: SeenRevisions = new Map()
    return async () => {
      const options = { sealer: openSealer([SECRET]), seen, log, ...more } as LoadRevisionsOptions
      const found = await loadRevisions(database, options)
      return found.map(({ name, number, settings }) => [name, number, settings.courier.message_retries])
    }
  }
  return { database, reported, openLoad, ...openProjects(database, SECRET) }
}

describe('loadRevisions', () => {
  it('gives the newest revision of each project, once', async (t) => {
    const { configure, openLoad } = await setup(t)
    const load = openLoad()
    assert.deepEqual(await load(), [])
    await configure('shop', retries(1))
    await configure('shop', retries(2))
    await configure('bank', {})
    assert.deepEqual((await load()).sort(), [
      ['bank', 1, 5],
      ['shop', 2, 2],
    ])
    assert.deepEqual(await load(), [])
    await configure('bank', retries(9))
    assert.deepEqual(await load(), [['bank', 2, 9]])
  })

  it('gives a revision again under a new name', async (t) => {
    const { configure, rename, openLoad } = await setup(t)
    const load = openLoad()
    await configure('shop', retries(1))
    await load()
    await rename('shop', 'Größte Boutique')
    assert.deepEqual(await load(), [['Größte Boutique', 1, 1]])
    assert.deepEqual(await load(), [])
  })

  it('reports a broken one once, names no secret, and gives the next one', async (t) => {
    const { database, configure, rename, openLoad, reported } = await setup(t)
    const load = openLoad()
    const { id } = await configure('shop', retries(1))
    await load()
    await configure('shop', { courier: { smtp: { connection_uri: 'gopher://user:hunter2@example.org' } } })
    assert.deepEqual(await load(), [])
    await rename('shop', 'another')
    assert.deepEqual(await load(), [])
    assert.deepEqual(
      reported.map((found) => ({ ...(found as object), reason: '' })),
      [{ project_id: id, revision: 2, reason: '' }],
    )
    assert.match(JSON.stringify(reported), /courier\.smtp\.connection_uri/)
    assert.doesNotMatch(JSON.stringify(reported), /hunter2/)
    await database.query({
      text: `insert into config.revision (project_id, number, sealed, author) values ($1, 3, 'no seal', 'test')`,
      values: [id],
    })
    assert.deepEqual(await load(), [])
    assert.equal(reported.length, 2)
    await configure('shop', retries(4))
    assert.deepEqual(await load(), [['another', 4, 4]])
  })

  it('gives the last good one where a start finds a broken one', async (t) => {
    const { configure, openLoad } = await setup(t)
    await configure('shop', retries(1))
    await configure('shop', retries(2))
    await configure('shop', retries('many'))
    await configure('shop', retries('more'))
    await configure('bank', retries('none'))
    const load = openLoad()
    assert.deepEqual(await load(), [['shop', 2, 2]])
    assert.deepEqual(await load(), [])
  })

  it('tells of a project of which nothing can be read, once, and of no other', async (t) => {
    const { configure, openLoad } = await setup(t)
    await configure('shop', retries(1))
    await configure('shop', retries('many'))
    const { id } = await configure('bank', retries('none'))
    const unreadable: string[] = []
    const load = openLoad({ onUnreadable: (projectId) => void unreadable.push(projectId) })
    assert.deepEqual([await load(), unreadable], [[['shop', 1, 1]], [id]])
    await configure('shop', retries('more'))
    await load()
    assert.deepEqual(unreadable, [id])
  })

  it('gives one project only where only that is wanted', async (t) => {
    const { configure, openLoad } = await setup(t)
    const load = openLoad({ projectId: DEFAULT_PROJECT_ID })
    await configure('shop', retries(1))
    await configure('default', retries(2))
    assert.deepEqual(await load(), [['Postrider', 1, 2]])
  })

  it('sends the mail of the project default to the dev mailbox while nothing else is set, and no other mail', async (t) => {
    const { database, configure } = await setup(t)
    await configure('default', {})
    await configure('shop', {})
    const load = async (mailboxPort?: string) => {
      const options = {
        sealer: openSealer([SECRET]),
        seen: new Map(),
        log: { error: assert.fail } as never,
        mailboxPort,
      }
      const found = await loadRevisions(database, options)
      return Object.fromEntries(found.map(({ name, settings }) => [name, settings.courier.smtp.connection_uri]))
    }
    assert.deepEqual(await load('4425'), {
      Postrider: 'smtp://127.0.0.1:4425/?disable_starttls=true',
      shop: undefined,
    })
    assert.deepEqual(await load(), { Postrider: undefined, shop: undefined })
    await configure('default', { courier: { smtp: { connection_uri: 'smtps://mx.example.org:465/' } } })
    assert.equal((await load('4425')).Postrider, 'smtps://mx.example.org:465/')
  })

  it('is worth calling whenever its channel is notified', async (t) => {
    const { database, configure } = await setup(t)
    const told: string[] = []
    await using _listening = await database.listen(REVISIONS_CHANNEL, (projectId) => void told.push(projectId))
    const { id } = await configure('shop', {})
    await waitFor(() => told.includes(id))
  })
})
