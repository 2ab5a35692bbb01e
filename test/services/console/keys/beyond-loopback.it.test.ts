/** The console as a process of its own, listening to the whole network. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openDatabase } from '#libs/database'
import { createKey } from '../../../../services/console/keys/manage-keys.ts'
import { freePort, testDatabase, waitFor } from '../../../support/servers.ts'
import { bearer } from './make-keys.ts'

const MAIN = fileURLToPath(new URL('../../../../services/console/main.ts', import.meta.url))
const ADMIN_KEY = 'planted-admin-key-of-a-process-test'

interface Running {
  readonly url: string
  readonly output: () => string
  readonly stop: () => Promise<number | null>
}

async function startConsole(t: TestContext, databaseUrl: string, env: Record<string, string>): Promise<Running> {
  const port = await freePort()
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: databaseUrl,
      SECRETS_CIPHER: 'a secret of the process tests',
      POSTRIDER_CONSOLE_HOST: '0.0.0.0',
      POSTRIDER_CONSOLE_PORT: String(port),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const output = collect(child)
  const url = `http://127.0.0.1:${port}`
  const isUp = async () => (await fetch(`${url}/health/alive`)).ok
  await waitFor(isUp, { timeoutMs: 60_000, message: () => `the console does not start:\n${output()}` })
  const stop = async (): Promise<number | null> => {
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    return (await exited)[0] as number | null
  }
  return { url, output, stop }
}

function collect(child: ChildProcess): () => string {
  const chunks: string[] = []
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
  return () => chunks.join('')
}

describe('a console on 0.0.0.0', () => {
  it('starts without a key, tells how to make the first, and then asks for it', async (t) => {
    const { url: databaseUrl } = await testDatabase(t)
    const { url, output, stop } = await startConsole(t, databaseUrl, {})
    await waitFor(() => output().includes('postrider keys create --name ops --role admin'))
    const list = `${url}/admin/courier/messages`
    assert.equal((await fetch(list)).status, 401)
    await using database = openDatabase({ url: databaseUrl, applicationName: 'test', max: 1 })
    const { token } = await createKey(database, { name: 'ops', role: 'admin' }, 'test')
    assert.equal((await fetch(list, { headers: bearer(token) })).status, 200)
    assert.equal(await stop(), 0)
    assert.ok(!output().includes(token.slice(-64)))
  })

  it('takes the configured key and never writes it down', async (t) => {
    const { url: databaseUrl } = await testDatabase(t)
    const { url, output, stop } = await startConsole(t, databaseUrl, { POSTRIDER_CONSOLE_ADMIN_KEY: ADMIN_KEY })
    assert.equal((await fetch(`${url}/admin/keys`, { headers: bearer(ADMIN_KEY) })).status, 200)
    assert.equal((await fetch(`${url}/admin/keys`, { headers: bearer(`${ADMIN_KEY}-wrong`) })).status, 401)
    assert.equal(await stop(), 0)
    assert.match(output(), /console started/)
    assert.ok(!output().includes('planted-admin-key') && !output().includes('keys create'))
  })

  it('refuses a configured key that is too short, without showing it', async (t) => {
    const { url } = await testDatabase(t)
    const env = { PATH: process.env.PATH, DATABASE_URL: url, SECRETS_CIPHER: 'a secret of the process tests' }
    const child = spawn(process.execPath, [MAIN], { env: { ...env, POSTRIDER_CONSOLE_ADMIN_KEY: 'planted-short' } })
    const output = collect(child)
    assert.notEqual((await once(child, 'close'))[0], 0)
    assert.match(output(), /postrider\.console\.admin_key.*32 or more characters/)
    assert.ok(!output().includes('planted-short'))
  })
})
