/** What the commands for events do. */
import { mkdtemp, open, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type EventDatabase, openEventDatabase, type QueryResult, writeParquet } from './event-database.ts'
import { readPart, readQuery } from './event-queries.ts'
import type { ExportOptions, QueryOptions, SampleOptions } from './events-command.ts'
import { type Exported, exportEvents, type Period } from './export-events.ts'
import { print, tableOf } from './print.ts'

/** Sample events end here. */
const SAMPLE_AT = '2026-01-02T12:00:00Z'
const VARIABLES = { period: '1 hour', before: '1 hour', window: '1 day', bucket: '5 minutes' }

/** The file appears when it is whole. */
export async function runExport({ since, until, output }: ExportOptions): Promise<void> {
  const period = { sinceMs: since, untilMs: until }
  if (output === '-') {
    // Nobody reads on, as after `head`: told by the write itself, too, and no failure.
    process.stdout.on('error', () => process.exit(0))
    return tell(await exportEvents(period, writeOut))
  }
  const part = `${output}.part`
  try {
    if (output.endsWith('.ndjson')) tell(await writeLines(part, period))
    else await exportParquet(part, period)
    await rename(part, output)
  } finally {
    await rm(part, { force: true })
  }
}

export async function runQuery(nameOrFile: string, options: QueryOptions): Promise<void> {
  const { from, since, format } = options
  const sql = readQuery(nameOrFile)
  using database = await openEventDatabase()
  const result =
    from.length > 0 ? await ask(database, sql, from, options) : await askKafka(database, sql, since, options)
  const { columns, rows } = result
  print(objectsOf(result), format, () =>
    tableOf(
      columns,
      rows.map((row) => row.map(cell)),
    ),
  )
}

export async function runSample({ count, output }: SampleOptions): Promise<void> {
  using database = await openEventDatabase()
  await database.set('at', '$1::timestamptz', SAMPLE_AT)
  await database.set('count', '$1::bigint', String(count))
  await database.query(readPart('sample'))
  await writeParquet(database, output)
}

async function exportParquet(path: string, period: Period): Promise<void> {
  using database = await openEventDatabase()
  await withLines(period, async (lines) => {
    await database.load([lines])
    await writeParquet(database, path)
  })
}

function askKafka(database: EventDatabase, sql: string, sinceMs: number, options: QueryOptions): Promise<QueryResult> {
  const at = options.at ?? new Date().toISOString()
  const period = { sinceMs, untilMs: Number.MAX_SAFE_INTEGER }
  return withLines(period, (lines) => ask(database, sql, [lines], { ...options, at }))
}

async function ask(
  database: EventDatabase,
  sql: string,
  files: readonly string[],
  { at, set }: Pick<QueryOptions, 'at' | 'set'>,
): Promise<QueryResult> {
  for (const [name, value] of Object.entries({ ...VARIABLES, ...set })) await database.set(name, '$1::interval', value)
  await database.load(files, at)
  return database.query(sql)
}

/** The events of a period in a file of their own, which is gone afterwards. */
async function withLines<T>(period: Period, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'postrider-events-'))
  try {
    const path = join(folder, 'events.ndjson')
    tell(await writeLines(path, period))
    return await use(path)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function writeLines(path: string, period: Period): Promise<Exported> {
  await using file = await open(path, 'w')
  return await exportEvents(period, (text) => file.appendFile(text))
}

function writeOut(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()))
  })
}

function tell({ events, skipped }: Exported): void {
  const others = skipped > 0 ? `, ${skipped} other records left out` : ''
  console.error(`${events} events${others}`)
}

function objectsOf({ columns, rows }: QueryResult): Record<string, unknown>[] {
  return rows.map((row) => Object.fromEntries(row.map((value, index) => [columns[index] ?? '', value])))
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
