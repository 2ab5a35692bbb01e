/** Kratos' database, found, checked and prepared; waits for one that is away. */
import { type Database, isTransient, openDatabase, pgCode } from '#libs/database'
import { CodedError, messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import type { Logger } from '#libs/telemetry'
import type { ParsedDsn } from './parse-dsn.ts'
import { checkKratosTables, type KratosColumns, prepareSource } from './source-schema.ts'

export interface KratosSource extends AsyncDisposable {
  readonly database: Database
  readonly columns: KratosColumns
}

export interface OpenSourceOptions {
  readonly dsn: ParsedDsn
  readonly applicationName: string
  readonly log: Logger
  readonly stopping: AbortSignal
  /** How long one that is away is waited for. @default for good */
  readonly patienceMs?: number | undefined
}

const RETRY_MS = 1_000
/** Longer than a send is tried: a pass holds its rows until Kafka has answered, and a status may wait for a row as long. */
const SETTINGS = { statement_timeout: '20s', idle_in_transaction_session_timeout: '30s', jit: 'off' }
const REFUSED_BY_RULES = '28000'
/** A name that is not known yet, as in a cluster that is just starting, or one that is written wrong: the log tells it. */
const UNKNOWN_HOST = 'ENOTFOUND'

/**
 * @returns undefined when told to stop first
 * @throws CONFIG_INVALID for what is no database of Kratos; RESOURCE_UNAVAILABLE when `patienceMs` are over; what the server refuses
 * for good, such as a wrong password
 */
export async function openSource(options: OpenSourceOptions): Promise<KratosSource | undefined> {
  const { patienceMs = Number.POSITIVE_INFINITY } = options
  const startedMs = performance.now()
  while (!options.stopping.aborted) {
    try {
      return await openFirst(options)
    } catch (error) {
      if (!isTransient(error) && pgCode(error) !== UNKNOWN_HOST) throw error
      if (performance.now() - startedMs >= patienceMs) throw away(error, patienceMs)
      options.log.warn({ reason: messageOf(error) }, "Kratos' database does not answer, trying again")
      await sleep(RETRY_MS, options.stopping)
    }
  }
  return undefined
}

function away(error: unknown, patienceMs: number): CodedError {
  return new CodedError(
    'RESOURCE_UNAVAILABLE',
    `KRATOS_DSN: the database did not answer within ${patienceMs / 1_000} s (${messageOf(error)}); nothing was changed: ` +
      'check that it runs and that host and port are right, and start this again',
    { cause: error },
  )
}

/** By the first of the ways that the server takes. */
async function openFirst(options: OpenSourceOptions): Promise<KratosSource> {
  const { urls } = options.dsn
  for (const [index, url] of urls.entries()) {
    const database = open(url, options)
    try {
      const columns = await checkKratosTables(database)
      await prepareSource(database)
      return { database, columns, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() }
    } catch (error) {
      await database[Symbol.asyncDispose]()
      if (index === urls.length - 1 || !isOfEncryption(error)) throw error
    }
  }
  throw new Error('no URL to connect to')
}

function open(url: string, { dsn, applicationName, log }: OpenSourceOptions): Database {
  return openDatabase({
    url,
    applicationName,
    max: 5,
    settings: { ...SETTINGS, ...(dsn.searchPath && { search_path: dsn.searchPath }) },
    onError: (error) => log.warn({ reason: error.message }, 'database connection lost'),
  })
}

function isOfEncryption(error: unknown): boolean {
  return pgCode(error) === REFUSED_BY_RULES || /does not support SSL/.test(messageOf(error))
}
