import { type Command, InvalidArgumentError, Option } from 'commander'
import { addGroup } from './command-group.ts'
import { queryNames } from './event-queries.ts'
import { instant } from './instant.ts'
import type { Format } from './print.ts'

export interface ExportOptions {
  readonly since: number
  readonly until: number
  readonly output: string
}

export interface QueryOptions {
  readonly from: readonly string[]
  readonly since: number
  readonly at?: string
  readonly set: Readonly<Record<string, string>>
  readonly format: Format
}

export interface SampleOptions {
  readonly count: number
  readonly output: string
}

const SAMPLE_COUNT = 1_000_000

export function addEventsCommand(program: Command): void {
  const group = addGroup(program, 'events', 'Take delivery-status events out of Kafka, and ask them questions.')
  addExport(group)
  addQuery(group)
  addSample(group)
}

function addExport(group: Command): void {
  group
    .command('export')
    .description('Write the events of a time to a file, one row each.')
    .option(
      '--since <time>',
      'a time ago such as 1h, or an instant; by the time at which Kafka got the event',
      instantMs,
      all(),
    )
    .option('--until <time>', 'up to this time', instantMs, Number.MAX_SAFE_INTEGER)
    .requiredOption(
      '--output <file>',
      'ends with .parquet or .ndjson; - for lines of JSON on standard output',
      outputFile,
    )
    .addHelpText(
      'after',
      `
Examples:
  $ postrider events export --since 1h --output events.parquet
  $ postrider events export --since 2026-01-02T00:00:00Z --until 2026-01-03T00:00:00Z --output day.ndjson
  $ postrider events export --since 5m --output - | jq .status

Kafka is found by KAFKA_BROKERS or the configuration, else it is the one that runs in POSTRIDER_HOME.`,
    )
    .action(async (options: ExportOptions) => (await import('./run-events.ts')).runExport(options))
}

function addQuery(group: Command): void {
  group
    .command('query')
    .description('Run SQL over events: one of the queries of deploy/analytics, or a file.')
    .argument('<query>', `file.sql, or one of ${queryNames().join(', ')}`)
    .option(
      '--from <file>',
      'exported events, again for each further file; without it they are read from Kafka',
      andAnother,
      [],
    )
    .addOption(
      new Option('--since <time>', 'how much to read from Kafka')
        .argParser(instantMs)
        .default(Date.now() - 24 * 3_600_000, '24h'),
    )
    .option('--at <instant>', 'the end of the time asked about; else now, or the newest event of the files', instant)
    .option('--set <name=interval>', 'period, before, window or bucket, such as before="1 day"', andVariable, {})
    .addOption(new Option('--format <format>', 'how to print').choices(['table', 'json', 'yaml']).default('table'))
    .addHelpText(
      'after',
      `
Examples:
  $ postrider events query why-sent-dropped
  $ postrider events query why-sent-dropped --from events.parquet --set before="1 day"
  $ postrider events query mine.sql --from events.parquet --format json

The SQL sees events, facts and messages; deploy/analytics/README.md says what they are.`,
    )
    .action(async (query: string, options: QueryOptions) => (await import('./run-events.ts')).runQuery(query, options))
}

function addSample(group: Command): void {
  group
    .command('sample')
    .description('Write invented events of a day, always the same ones: to try queries without a system.')
    .option('--count <events>', 'about so many', wholeNumber, SAMPLE_COUNT)
    .requiredOption('--output <file>', 'ends with .parquet', parquetFile)
    .addHelpText('after', '\nExamples:\n  $ postrider events sample --count 100000 --output sample.parquet')
    .action(async (options: SampleOptions) => (await import('./run-events.ts')).runSample(options))
}

function all(): number {
  return 0
}

function instantMs(text: string): number {
  return Date.parse(instant(text))
}

function outputFile(path: string): string {
  if (path !== '-' && !/\.(parquet|ndjson)$/.test(path))
    throw new InvalidArgumentError('Allowed are .parquet, .ndjson and -.')
  return path
}

function parquetFile(path: string): string {
  if (!path.endsWith('.parquet')) throw new InvalidArgumentError('Allowed is .parquet.')
  return path
}

function andAnother(file: string, files: readonly string[]): string[] {
  if (!/\.(parquet|ndjson)$/.test(file)) throw new InvalidArgumentError('Allowed are .parquet and .ndjson.')
  return [...files, file]
}

function andVariable(text: string, variables: Readonly<Record<string, string>>): Record<string, string> {
  const [, name, value] = /^(period|before|window|bucket)=(.+)$/.exec(text) ?? []
  if (name === undefined || value === undefined)
    throw new InvalidArgumentError(
      'Allowed are period, before, window and bucket, each with = and an interval such as 1 day.',
    )
  return { ...variables, [name]: value }
}

function wholeNumber(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number of at least 1.')
  return value
}
