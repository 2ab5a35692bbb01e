import knex, { type Knex } from 'knex'
import pg from 'pg'
import { listenTo } from './listen.ts'

export interface Statement {
  /** Prepared once per connection under this name. */
  readonly name?: string
  readonly text: string
  readonly values?: readonly unknown[]
}

export interface Result<Row> {
  readonly rows: Row[]
  readonly rowCount: number
}

/** Whatever runs one statement: the pool, or an open transaction. */
export interface Tx {
  /** int8 comes as number, timestamptz as Date, json parsed. */
  readonly query: <Row extends object = Record<string, unknown>>(statement: Statement) => Promise<Result<Row>>
}

export interface Database extends Tx, AsyncDisposable {
  /** Runs `fn` in one transaction on one connection: committed when it resolves, rolled back when it throws. */
  readonly transaction: <T>(fn: (tx: Tx) => Promise<T>) => Promise<T>
  /** Query builder and migrations, over a small pool of its own that opens on first use. */
  readonly knex: Knex
  /**
   * Calls `onNotify` for each notification, and once after every (re)connect, since some may have been missed.
   * A hint, never a promise: a half-open connection is noticed only by its ping.
   */
  readonly listen: (channel: string, onNotify: (payload: string) => void) => Promise<AsyncDisposable>
  /** A connection of its own, outside the pool; the caller ends it. */
  readonly connect: () => Promise<pg.Client>
}

export interface DatabaseOptions {
  readonly url: string
  /** Shown in pg_stat_activity. */
  readonly applicationName: string
  /** Most connections of the pool. @default 10 */
  readonly max?: number
  /** Server settings of every connection, such as `{ enable_seqscan: 'off' }`; values without spaces. */
  readonly settings?: Readonly<Record<string, string>>
  /** Told of connections that break while idle; the pool replaces them, so nothing needs to be done. */
  readonly onError?: (error: Error) => void
}

const CONNECT_TIMEOUT_MS = 10_000
const INT8 = 20

/** Opens nothing yet: connections come with the first statement. */
export function openDatabase(options: DatabaseOptions): Database {
  const connection = connectionOptions(options)
  const onError = options.onError ?? (() => undefined)
  const pool = new pg.Pool({ ...connection, max: options.max ?? 10, idleTimeoutMillis: 30_000 })
  pool.on('error', onError)
  // The pool listens only while a connection is idle; one that breaks inside a transaction would end the process.
  pool.on('connect', (client) => client.on('error', onError))
  let builder: Knex | undefined

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client(connection)
    client.on('error', onError)
    await client.connect()
    return client
  }

  return {
    query: queryOn(pool),
    transaction: (fn) => transactionOn(pool, fn),
    get knex() {
      // knex narrows the types' second parameter, which pg's own overrides do not have; at run time it is handed through to pg.
      builder ??= knex({ client: 'pg', connection: connection as Knex.PgConnectionConfig, pool: { min: 0, max: 2 } })
      return builder
    },
    listen: (channel, onNotify) => listenTo(connect, channel, onNotify, onError),
    connect,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([pool.end(), builder?.destroy()])
    },
  }
}

function connectionOptions({ url, applicationName, settings = {} }: DatabaseOptions) {
  const types = new pg.TypeOverrides()
  types.setTypeParser(INT8, Number)
  const flags = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`)
  return {
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types,
    ...(flags.length > 0 && { options: flags.join(' ') }),
  }
}

function queryOn(client: pg.Pool | pg.PoolClient): Tx['query'] {
  return async <Row extends object>(statement: Statement): Promise<Result<Row>> => {
    const { rows, rowCount } = await client.query(statement as pg.QueryConfig)
    return { rows: rows as Row[], rowCount: rowCount ?? 0 }
  }
}

async function transactionOn<T>(pool: pg.Pool, fn: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    const value = await fn({ query: queryOn(client) })
    await client.query('commit')
    return value
  } catch (error) {
    // A connection that cannot roll back is thrown away; the first error is the one to tell.
    await client.query('rollback').catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.release(broken)
  }
}
