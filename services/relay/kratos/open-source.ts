/** Kratos' database, found, checked and prepared; waits for one that is away. */
import { type Database, isTransient, openDatabase, pgCode } from '#libs/database'
import { messageOf } from '#libs/errors'
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
}

const RETRY_MS = 1_000
/** Longer than a send is tried: a pass holds its rows until Kafka has answered, and a status may wait for a row as long. */
const SETTINGS = { statement_timeout: '20s', idle_in_transaction_session_timeout: '30s', jit: 'off' }
const REFUSED_BY_RULES = '28000'

/**
 * @returns undefined when told to stop first
 * @throws CONFIG_INVALID for what is no database of Kratos; what the server refuses for good, such as a wrong password
 */
export async function openSource(options: OpenSourceOptions): Promise<KratosSource | undefined> {
  while (!options.stopping.aborted) {
    try {
      return await openFirst(options)
    } catch (error) {
      if (!isTransient(error)) throw error
      options.log.warn({ reason: messageOf(error) }, "Kratos' database does not answer, trying again")
      await sleep(RETRY_MS, options.stopping)
    }
  }
  return undefined
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
