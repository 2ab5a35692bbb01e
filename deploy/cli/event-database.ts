/** Delivery-status events in DuckDB: files of events to tables, and the SQL of deploy/analytics over them. */
import { extname } from 'node:path'
import type { DuckDBConnection, DuckDBResultReader } from '@duckdb/node-api'
import { CodedError } from '#libs/errors'
import { eventColumns } from './event-columns.ts'
import { readPart } from './event-queries.ts'

export interface QueryResult {
  readonly columns: readonly string[]
  /** Numbers as numbers, instants as RFC 3339. */
  readonly rows: readonly (readonly unknown[])[]
}

export interface EventDatabase extends Disposable {
  /**
   * Makes files of events, .ndjson or .parquet, the view `events`, and with it those of views.sql.
   * @param at end of the time asked about; else the newest event
   */
  readonly load: (files: readonly string[], at?: string) => Promise<void>
  /** What `getvariable(name)` gives in SQL. @param expression is SQL itself */
  readonly set: (name: string, expression: string, value?: string) => Promise<void>
  /** Runs statements. @returns what the last one brings */
  readonly query: (sql: string) => Promise<QueryResult>
}

const DUCKDB = '@duckdb/node-api'

/** @throws TOOL_MISSING where DuckDB is not installed */
export async function openEventDatabase(): Promise<EventDatabase> {
  const { DuckDBInstance } = await import('@duckdb/node-api').catch((cause: unknown) => {
    const remedy = `DuckDB is not installed: npm install --no-save ${DUCKDB}@1.5.6-r.1; events export to .ndjson works without it`
    throw new CodedError('TOOL_MISSING', remedy, { cause })
  })
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run("set timezone = 'UTC'")
  return {
    load: (files, at) => load(connection, files, at),
    set: (name, expression, value) => set(connection, name, expression, value),
    query: (sql) => query(connection, sql),
    [Symbol.dispose]: () => {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** Writes the view `events`, in the order of time: a query about an hour then reads little of the file. */
export async function writeParquet({ query }: EventDatabase, path: string): Promise<void> {
  await query(`copy (from events order by occurred_at, kafka_partition, kafka_offset) to ${literal(path)}
    (format parquet, compression zstd)`)
}

async function load(connection: DuckDBConnection, files: readonly string[], at?: string): Promise<void> {
  const parts = [
    emptyEvents(),
    ...files.map((file) => (extname(file) === '.parquet' ? fromParquet(file) : fromJson(file))),
  ]
  await connection.run(`create or replace view events as ${parts.join(' union all by name ')}`)
  if (at === undefined) await set(connection, 'at', '(select max(occurred_at) from events)')
  else await set(connection, 'at', '$1::timestamptz', at)
  await connection.run(readPart('views'))
}

async function set(connection: DuckDBConnection, name: string, expression: string, value?: string): Promise<void> {
  await connection.run(`set variable ${identifier(name)} = ${expression}`, value === undefined ? [] : [value])
}

/** No row, and every column: those that an older file does not have are null. */
function emptyEvents(): string {
  const columns = Object.entries(eventColumns()).map(([name, type]) => `null::${type} as ${identifier(name)}`)
  return `select ${columns.join(', ')} where false`
}

function fromParquet(file: string): string {
  return `select * from read_parquet(${literal(file)}, union_by_name = true)`
}

function fromJson(file: string): string {
  const columns = Object.entries(eventColumns()).map(([name, type]) => `${literal(name)}: ${literal(type)}`)
  return `select * from read_json(${literal(file)}, format = 'newline_delimited', columns = {${columns.join(', ')}})`
}

async function query(connection: DuckDBConnection, sql: string): Promise<QueryResult> {
  const statements = await connection.extractStatements(sql)
  let last: DuckDBResultReader | undefined
  for (let index = 0; index < statements.count; index++) {
    const prepared = await statements.prepare(index)
    last = await prepared.runAndReadAll()
  }
  return { columns: last?.columnNames() ?? [], rows: last?.getRowsJS().map((row) => row.map(plain)) ?? [] }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(plain)
  return value
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function identifier(text: string): string {
  return `"${text.replaceAll('"', '""')}"`
}
