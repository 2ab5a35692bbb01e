/** What a test file needs of the run's servers: a database of its own, topics of its own, a free port, and waiting with a deadline. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '#libs/database'

export { freePort } from '../../deploy/local/local-port.ts'

export interface TestDatabase extends AsyncDisposable {
  readonly url: string
}

/**
 * Creates a database with every migration applied, or none with `empty`. Dropped, with whatever is connected, when disposed or after
 * the test `t`.
 */
export async function testDatabase(
  t?: { after(fn: () => Promise<void>): void },
  options: { empty?: boolean } = {},
): Promise<TestDatabase> {
  const server = required('TEST_DATABASE_URL')
  const template = process.env.TEST_TEMPLATE
  const name = `test_${randomBytes(6).toString('hex')}`
  const isCopy = !options.empty && template !== undefined
  await administer(server, `create database ${name}${isCopy ? ` template ${template}` : ''}`)
  const url = databaseUrl(server, name)
  if (!options.empty && !isCopy) {
    const { migrate } = await import('../../db/migrations.ts')
    await migrate(url)
  }
  const drop = (): Promise<void> => administer(server, `drop database if exists ${name} with (force)`)
  t?.after(drop)
  return { url, [Symbol.asyncDispose]: drop }
}

/** The broker, and a prefix that makes the topics and groups of this call its own. */
export function testKafka(): { brokers: string; prefix: string } {
  return { brokers: required('TEST_KAFKA_BROKERS'), prefix: `t${randomBytes(6).toString('hex')}.` }
}

/**
 * Calls `probe` every 50 ms until it gives something truthy, and resolves with that.
 * @throws after `timeoutMs`, with `message` and the last value or error
 */
export async function waitFor<T>(
  probe: () => T | Promise<T>,
  options: { timeoutMs?: number; message?: string | (() => string) } = {},
): Promise<NonNullable<T>> {
  const { timeoutMs = 10_000, message = 'waited in vain' } = options
  const deadline = Date.now() + timeoutMs
  for (;;) {
    let last: string
    let cause: unknown
    try {
      const value = await probe()
      if (value) return value
      last = `the last value was ${JSON.stringify(value)}`
    } catch (error) {
      cause = error
      last = `the last error was ${error instanceof Error ? error.message : String(error)}`
    }
    if (Date.now() > deadline) {
      const what = typeof message === 'string' ? message : message()
      throw new Error(`${what}: after ${timeoutMs} ms ${last}`, { cause })
    }
    await sleep(50)
  }
}

/** Runs one statement that stands outside of transactions. */
export async function administer(url: string, text: string): Promise<void> {
  await using database = openDatabase({ url, applicationName: 'postrider-test', max: 1 })
  await database.query({ text })
}

/** `url` with another database. */
export function databaseUrl(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

function required(name: 'TEST_DATABASE_URL' | 'TEST_KAFKA_BROKERS'): string {
  const value = process.env[name]
  if (value) return value
  throw new Error(
    `${name} is not set: run through \`npm test -- <file>\`, or start the servers by \`node test/run.js --servers\``,
  )
}
