import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type RunFile, readRunFile } from '../../../deploy/local/run-file.ts'
import { SERVICES } from '../../../deploy/local/service-plans.ts'
import { freePort, waitFor } from '../../support/servers.ts'

/** A project whose services only listen, so that what is tested is `up` alone. */
const root = mkdtempSync(join(tmpdir(), 'up-it-'))
const home = join(root, 'home')
const upModule = resolve(import.meta.dirname, '../../../deploy/local/up.ts')

const STUB = `
import { createServer } from 'node:http'
const { POSTRIDER_INSTANCE: instance, POSTRIDER_CONSOLE_PORT, POSTRIDER_IDENTITY_PORT } = process.env
const port = instance === 'console-1' ? POSTRIDER_CONSOLE_PORT : instance === 'identity-1' ? POSTRIDER_IDENTITY_PORT : 0
createServer((request, response) => response.end(JSON.stringify(process.env))).listen(Number(port), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
`

const PORTS = ['IDENTITY', 'CONSOLE', 'MAILBOX_SMTP', 'MAILBOX_HTTP']
const METRICS = ['IDENTITY', 'RELAY', 'COURIER', 'PROJECTOR'].map((service) => `${service}_METRICS`)

async function environment(): Promise<NodeJS.ProcessEnv> {
  const env: NodeJS.ProcessEnv = { PATH: process.env.PATH, POSTRIDER_HOME: home }
  for (const name of [...PORTS, ...METRICS]) env[`POSTRIDER_${name}_PORT`] = String(await freePort())
  // Their own tests start them; here they would only take time.
  return { ...env, DATABASE_URL: 'postgres://127.0.0.1/none', KAFKA_BROKERS: '127.0.0.1:1' }
}

function startUp(env: NodeJS.ProcessEnv): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [join(root, 'run-up.ts')], { cwd: root, env })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (text += chunk))
  return { child, output: () => text }
}

function pidOf(run: RunFile | undefined, instance: string): number | undefined {
  return run?.processes.find((found) => found.instance === instance)?.pid
}

describe('up', () => {
  let env: NodeJS.ProcessEnv
  let running: ReturnType<typeof startUp>
  const ready = (): Promise<boolean> =>
    waitFor(() => running.output().includes('Ctrl-C'), { timeoutMs: 60_000, message: 'up does not get ready' })

  before(async () => {
    mkdirSync(join(root, 'db'))
    writeFileSync(join(root, 'package.json'), '{"type":"module"}')
    writeFileSync(join(root, 'db', 'migrate.ts'), "console.log('nothing to do')")
    for (const service of SERVICES) {
      mkdirSync(join(root, 'services', service), { recursive: true })
      writeFileSync(join(root, 'services', service, 'main.ts'), STUB)
    }
    const script = `import { up } from ${JSON.stringify(upModule)}
      process.exitCode = await up({ scale: { courier: 2 }, root: ${JSON.stringify(root)} })`
    writeFileSync(join(root, 'run-up.ts'), script)
    env = await environment()
    running = startUp(env)
    await ready()
  })
  after(async () => {
    if (running.child.exitCode === null && running.child.kill()) await once(running.child, 'exit')
    rmSync(root, { recursive: true, force: true })
  })

  it('lists every process with its ports, and gives the services what they need', async () => {
    const run = await readRunFile(home)
    assert.equal(run?.pid, running.child.pid)
    const instances = run?.processes.map(({ instance }) => instance)
    const services = ['identity-1', 'relay-1', 'courier-1', 'courier-2', 'projector-1', 'console-1']
    assert.deepEqual(instances, ['mailbox', ...services])
    const seen = (await (await fetch(run?.urls.identity ?? '')).json()) as Record<string, string>
    assert.equal(seen.POSTRIDER_HOME, home)
    assert.equal(seen.POSTRIDER_MAILBOX_SMTP_PORT, env.POSTRIDER_MAILBOX_SMTP_PORT)
    const [secret] = JSON.parse(seen.SECRETS_CIPHER ?? '[]')
    assert.ok(secret.length >= 32)
    assert.deepEqual(JSON.parse(readFileSync(join(home, 'secrets.json'), 'utf8')).cipher, [secret])
  })

  it('refuses a second start on the same state folder and names the first', async () => {
    const second = startUp(env)
    const [code] = await once(second.child, 'close')
    assert.equal(code, 1)
    assert.match(second.output(), new RegExp(`already runs.* pid ${running.child.pid}`))
  })

  it('starts a killed service again', async () => {
    const before = pidOf(await readRunFile(home), 'courier-2') ?? 0
    process.kill(before, 'SIGKILL')
    await waitFor(async () => {
      const now = pidOf(await readRunFile(home), 'courier-2')
      return now !== undefined && now !== before
    })
  })

  it('takes over what a killed run left behind', async () => {
    const left = (await readRunFile(home))?.processes ?? []
    running.child.kill('SIGKILL')
    await once(running.child, 'exit')
    running = startUp(env)
    await ready()
    assert.match(running.output(), /the last run was killed/)
    const now = (await readRunFile(home))?.processes.map(({ pid }) => pid) ?? []
    assert.deepEqual(
      left.filter(({ pid }) => now.includes(pid)),
      [],
    )
  })

  it('stops everything at one signal and exits 0', async () => {
    const pids = (await readRunFile(home))?.processes.map(({ pid }) => pid) ?? []
    running.child.kill('SIGINT')
    running.child.kill('SIGTERM') // npm and the terminal both pass one on
    const [code] = await once(running.child, 'exit')
    assert.equal(code, 0)
    for (const pid of pids) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
    assert.equal(await readRunFile(home), undefined)
  })
})
