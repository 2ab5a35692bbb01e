import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import { isCoded, messageOf } from '#libs/errors'
import { freePort } from '../../../deploy/local/local-port.ts'
import { type EmbeddedPostgres, openEmbeddedPostgres, removePostgresData } from '../../../deploy/local/postgres.ts'
import { openTestHome } from '../../support/test-servers.ts'

const homes = new AsyncDisposableStack()
after(() => homes.disposeAsync())

async function newHome(): Promise<string> {
  const home = homes.use(await openTestHome())
  chmodSync(home.path, 0o755)
  return home.path
}

async function start(home: string, port: number): Promise<EmbeddedPostgres> {
  return openEmbeddedPostgres({ home, port, log: () => undefined })
}

async function ask<T>(url: string, text: string): Promise<T | undefined> {
  await using database = openDatabase({ url, applicationName: 'test', max: 1 })
  return (await database.query<{ value: T }>({ text })).rows[0]?.value
}

describe('openEmbeddedPostgres', () => {
  it('keeps its data, listens on loopback with a password, and writes durably', async () => {
    const [home, port] = [await newHome(), await freePort()]
    {
      await using server = await start(home, port)
      await ask(server.url, 'create table kept as select 42 as value')
      assert.equal(await ask(server.url, "select current_setting('fsync') as value"), 'on')
      assert.equal(await ask(server.url, "select current_setting('listen_addresses') as value"), '127.0.0.1')
      const stranger = new URL(server.url)
      stranger.password = 'guess'
      await assert.rejects(ask(stranger.href, 'select 1 as value'), /password/)
      assert.equal(statSync(join(home, 'postgres.json')).mode & 0o077, 0)
    }
    await using again = await start(home, port)
    assert.equal(await ask(again.url, 'select value from kept'), 42)
  })

  it('starts again after kill -9, also when the stale lock names a living process', async () => {
    const [home, port] = [await newHome(), await freePort()]
    const killed = await start(home, port)
    await ask(killed.url, 'create table kept as select 7 as value')
    process.kill(killed.pid, 'SIGKILL')
    assert.equal(await killed.ended, 'SIGKILL')
    const lock = join(JSON.parse(readFileSync(join(home, 'postgres.json'), 'utf8')).folder, 'data', 'postmaster.pid')
    writeFileSync(lock, readFileSync(lock, 'utf8').replace(/^\d+/, String(process.pid)))

    await using server = await start(home, port)
    assert.equal(await ask(server.url, 'select value from kept'), 7)
  })

  it('replaces a server that an earlier start left running', async () => {
    const [home, port] = [await newHome(), await freePort()]
    const left = await start(home, port)
    await using server = await start(home, port)
    assert.equal(await left.ended, 'code 0')
    assert.notEqual(server.pid, left.pid)
    assert.equal(await ask(server.url, 'select 1 as value'), 1)
  })

  it('works in a state folder that only its owner can enter', async () => {
    const outer = await newHome()
    const home = join(outer, 'inner')
    mkdirSync(home)
    homes.defer(() => removePostgresData(home))
    chmodSync(outer, 0o700)
    await using server = await start(home, await freePort())
    assert.equal(await ask(server.url, 'select 1 as value'), 1)
  })

  it('names the variable that moves it when the port is taken', async () => {
    const blocker = createServer().listen(0, '127.0.0.1')
    await once(blocker, 'listening')
    const address = blocker.address()
    assert.ok(address !== null && typeof address === 'object')
    const home = await newHome()
    await assert.rejects(
      start(home, address.port),
      (error) => isCoded(error, 'PORT_TAKEN') && messageOf(error).includes('POSTRIDER_POSTGRES_PORT'),
    )
    blocker.close()
  })
})
