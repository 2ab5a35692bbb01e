/** The servers of one test run: PostgreSQL with a migrated template database, and Kafka, in a temporary home of their own. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { isRunning } from '../../deploy/local/foreign-process.ts'
import { openEmbeddedKafka, stopKafkaLeftover } from '../../deploy/local/kafka.ts'
import { freePort } from '../../deploy/local/local-port.ts'
import { openEmbeddedPostgres, removePostgresData } from '../../deploy/local/postgres.ts'
import { administer, databaseUrl } from './servers.ts'

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '..', '..')
const PREFIX = 'postrider-test-'

export interface TestServers extends AsyncDisposable {
  /** TEST_DATABASE_URL, TEST_KAFKA_BROKERS, TEST_TEMPLATE */
  readonly env: Readonly<Record<string, string>>
}

/** Starts both; where the environment already names both, as after `--servers`, uses those. */
export async function openTestServers(stopping: AbortSignal): Promise<TestServers> {
  await using stack = new AsyncDisposableStack()
  await removeAbandoned()
  stack.defer(removeAbandoned) // of test files that an interrupted run killed
  const { TEST_DATABASE_URL, TEST_KAFKA_BROKERS } = process.env
  const given = TEST_DATABASE_URL && TEST_KAFKA_BROKERS
  const [url, brokers] = given ? [TEST_DATABASE_URL, TEST_KAFKA_BROKERS] : await startServers(stack, stopping)

  const template = `postrider_template_${randomBytes(4).toString('hex')}`
  await administer(url, `create database ${template}`)
  stack.defer(() => administer(url, `drop database if exists ${template} with (force)`))
  await migrateTemplate(databaseUrl(url, template))

  const owned = stack.move()
  return {
    env: { TEST_DATABASE_URL: url, TEST_KAFKA_BROKERS: brokers, TEST_TEMPLATE: template },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function startServers(stack: AsyncDisposableStack, stopping: AbortSignal): Promise<[string, string]> {
  const home = await openTestHome()
  stack.use(home)
  const log = (line: string): void => console.error(line)
  const started = await Promise.allSettled([
    openEmbeddedPostgres({ home: home.path, port: await freePort(), log, stopping }).then((server) =>
      stack.use(server),
    ),
    openEmbeddedKafka({ home: home.path, port: await freePort(), log, stopping }).then((server) => stack.use(server)),
  ])
  const [postgres, kafka] = started
  if (postgres.status === 'rejected') throw postgres.reason
  if (kafka.status === 'rejected') throw kafka.reason
  return [postgres.value.url, kafka.value.brokers]
}

async function migrateTemplate(url: string): Promise<void> {
  const { KAFKA_BROKERS: _, ...env } = process.env // topics are each test file's own
  const migration = run(process.execPath, [join(ROOT, 'db', 'migrate.ts')], { env: { ...env, DATABASE_URL: url } })
  await migration.catch((error: unknown) => {
    const output =
      error instanceof Error && 'stderr' in error ? `${'stdout' in error ? error.stdout : ''}${error.stderr}` : ''
    throw new Error(`db/migrate.ts failed on an empty database:\n${output}`, { cause: error })
  })
}

export interface TestHome extends AsyncDisposable {
  readonly path: string
}

/** A state folder for embedded servers in a test. Disposing it stops what still runs on it; a killed test's is cleared by the next run. */
export async function openTestHome(): Promise<TestHome> {
  const path = await mkdtemp(join(tmpdir(), PREFIX))
  await writeFile(join(path, 'owner'), `${process.pid}\n${process.argv[1]}`)
  return { path, [Symbol.asyncDispose]: () => removeHome(path) }
}

/** Clears away the servers and the data of runs and test files that were killed. */
async function removeAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const home = join(tmpdir(), name)
    const owner = join(home, 'owner')
    const [pid, script] = existsSync(owner) ? readFileSync(owner, 'utf8').split('\n') : []
    if (script !== undefined && !(await isRunning(Number(pid), script))) await removeHome(home)
  }
}

async function removeHome(home: string): Promise<void> {
  await stopKafkaLeftover(home)
  await removePostgresData(home)
  await rm(home, { recursive: true, force: true })
}
