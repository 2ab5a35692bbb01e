import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { ensureTopics } from '#libs/bus'
import { topics } from '#libs/messages'
import { queryNames } from '../../../deploy/cli/event-queries.ts'
import { assertPublished } from '../../libs/messages/contract/contract.ts'
import { testKafka, waitFor } from '../../support/servers.ts'
import { PARTITIONS, publishStories, type Story, tellStories } from '../analytics/stories.ts'
import { type Ended, type RunOptions, runCli } from './run-cli.ts'

const WITHOUT_DUCKDB = `--import ${pathToFileURL(join(import.meta.dirname, 'hide-duckdb.ts'))}`
const { brokers, prefix } = testKafka()
const topic = topics(prefix).status
const stories = tellStories(200)
const [early, late] = [stories.slice(0, 80), stories.slice(80)]
let folder: string
/** Of Kafka's clock, between the two halves. */
let between: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postrider-events-test-'))
  const spec = { name: topic, partitions: PARTITIONS, replication: 1, config: {} }
  await ensureTopics({ brokers: brokers.split(','), topics: [spec] })
  await publishStories(brokers, topic, early)
  const publishedMs = Date.now()
  await waitFor(() => Date.now() > publishedMs)
  between = new Date().toISOString()
  await publishStories(brokers, topic, late)
})
after(() => rm(folder, { recursive: true, force: true }))

function events(args: readonly string[], { env, ...options }: RunOptions = {}): Promise<Ended> {
  const all = { KAFKA_BROKERS: brokers, POSTRIDER_KAFKA_TOPIC_PREFIX: prefix, POSTRIDER_HOME: folder, ...env }
  return runCli(['events', ...args], { cwd: folder, env: all, ...options })
}

function idsIn(lines: string): string[] {
  const ids = lines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line).event_id as string)
  return [...new Set(ids)].sort()
}

function idsOf(told: readonly Story[]): string[] {
  return told.map(({ eventId }) => eventId).sort()
}

describe('postrider events export', () => {
  it('writes lines of JSON with what the contract has, but not what is sealed', async () => {
    const { code, stdout } = await events(['export', '--output', '-'])
    assert.equal(code, 0)
    assert.deepEqual(idsIn(stdout), idsOf(stories))
    const { sealed: _, ...expected } = stories[0]!.data
    const found = stdout.split('\n').find((line) => line.includes(stories[0]!.eventId))
    const { event_id, recorded_at, kafka_partition, kafka_offset, ...data } = JSON.parse(found!)
    assert.deepEqual(data, expected)
    assert.ok(Math.abs(Date.parse(recorded_at) - Date.now()) < 600_000)
    assert.ok(Number.isInteger(kafka_partition) && Number.isInteger(kafka_offset))
  })

  it('takes what Kafka got since, and up to, an instant', async () => {
    const since = await events(['export', '--since', between, '--output', '-'])
    assert.deepEqual(idsIn(since.stdout), idsOf(late))
    const until = await events(['export', '--until', between, '--output', '-'])
    assert.deepEqual(idsIn(until.stdout), idsOf(early))
    const ago = await events(['export', '--since', '1h', '--until', between, '--output', '-'])
    assert.deepEqual(idsIn(ago.stdout), idsOf(early))
  })

  it('writes a file that has no events, and can be asked', async () => {
    const { code, stderr } = await events(['export', '--since', '2999-01-01T00:00:00Z', '--output', 'none.parquet'])
    assert.deepEqual([code, stderr], [0, '0 events\n'])
    const { stdout } = await events(['query', 'funnel', '--from', 'none.parquet', '--format', 'json'])
    assert.deepEqual(JSON.parse(stdout), [])
  })

  it('finds the Kafka that runs in this home', async (t) => {
    const home = await mkdtemp(join(tmpdir(), 'postrider-home-'))
    t.after(() => rm(home, { recursive: true }))
    const port = Number(brokers.split(':')[1])
    const kafka = { service: 'kafka', instance: 'kafka', pid: 1, ports: { kafka: port } }
    const run = { pid: 1, startedAt: between, urls: {}, processes: [kafka] }
    await writeFile(join(home, 'run.json'), JSON.stringify(run))
    const env = { POSTRIDER_HOME: home, POSTRIDER_KAFKA_TOPIC_PREFIX: prefix }
    const { stdout } = await runCli(['events', 'export', '--output', '-'], { cwd: home, env })
    assert.deepEqual(idsIn(stdout), idsOf(stories))
  })

  it('leaves no half file behind, and says where it looked', async () => {
    const { code, stderr } = await events(['export', '--output', 'away.ndjson'], {
      env: { KAFKA_BROKERS: '127.0.0.1:1' },
    })
    assert.equal(code, 1)
    assert.match(stderr, /Kafka at 127\.0\.0\.1:1: .*ECONNREFUSED.*KAFKA_BROKERS/)
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith('away')),
      [],
    )
    const missing = await events(['export', '--output', '-'], { env: { POSTRIDER_KAFKA_TOPIC_PREFIX: 'none.' } })
    assert.match(missing.stderr, /none\.courier\.delivery-status\.v1: Kafka has no such topic/)
    const nowhere = await events(['export', '--output', 'no/such/folder.ndjson'])
    assert.deepEqual([nowhere.code, /ENOENT.*no\/such\/folder/.test(nowhere.stderr)], [1, true])
  })

  for (const args of [
    ['export'],
    ['export', '--output', 'events.csv'],
    ['export', '--output', '-', '--since', 'yesterday'],
    ['query', 'funnel', '--set', 'window; drop=1'],
    ['query', 'funnel', '--from', 'events.csv'],
    ['sample', '--output', 'x.ndjson'],
    ['sample', '--output', 'x.parquet', '--count', '0'],
  ]) {
    it(`takes ${args.join(' ')} for wrong usage`, async () => {
      assert.equal((await events(args)).code, 2)
    })
  }
})

describe('postrider events query', () => {
  it('names the queries where there is no such one', async () => {
    const { code, stderr } = await events(['query', 'fun'])
    assert.deepEqual([code, stderr], [1, `postrider: fun: neither a file nor one of ${queryNames().join(', ')}\n`])
  })

  it('says how to install DuckDB where it is missing; lines of JSON need none', async () => {
    const env = { NODE_OPTIONS: WITHOUT_DUCKDB }
    const { version } = JSON.parse(await readFile('node_modules/@duckdb/node-api/package.json', 'utf8'))
    const { code, stderr } = await events(['query', 'funnel'], { env })
    assert.equal(code, 1)
    assert.match(stderr, /^postrider: DuckDB is not installed: npm install --no-save @duckdb\/node-api@/)
    assert.ok(stderr.includes(`@${version};`), stderr)
    assert.equal((await events(['export', '--output', 'lines.ndjson'], { env })).code, 0)
    assert.deepEqual(idsIn(await readFile(join(folder, 'lines.ndjson'), 'utf8')), idsOf(stories))
  })

  it('reads a file of an earlier version: columns and parts of columns that it lacks are null', async () => {
    await writeFile(
      join(folder, 'make-old.sql'),
      `copy (select * exclude (locale, durations_ms), {'send': durations_ms.send, 'total': durations_ms.total} as durations_ms
        from events) to 'old.parquet' (format parquet)`,
    )
    await events(['export', '--output', 'new.parquet'])
    assert.equal((await events(['query', 'make-old.sql', '--from', 'new.parquet'])).code, 0)
    await writeFile(
      join(folder, 'old.sql'),
      'select count(*) as n, count(locale) + count(durations_ms.dns) as nulls from facts',
    )
    const { stdout, stderr } = await events(['query', 'old.sql', '--from', 'old.parquet', '--format', 'json'])
    assert.deepEqual(stdout && JSON.parse(stdout), [{ n: stories.length, nulls: 0 }], stderr)
    const old = await events(['query', 'providers', '--from', 'old.parquet'])
    assert.equal(old.stdout, (await events(['query', 'providers', '--from', 'new.parquet'])).stdout)
  })

  it('passes on what DuckDB says of a query', async () => {
    await writeFile(join(folder, 'wrong.sql'), 'select nothing from events')
    const { code, stderr } = await events(['query', 'wrong.sql'])
    assert.equal(code, 1)
    assert.match(stderr, /column "nothing" not found/)
  })
})

describe('postrider events sample', () => {
  it('makes events of the contract, about as many as asked for, the same ones every time', async () => {
    const texts = []
    await writeFile(join(folder, 'all.sql'), `select event_id, to_json(e)::varchar as text from events e order by text`)
    for (const output of ['one.parquet', 'two.parquet']) {
      assert.equal((await events(['sample', '--count', '5000', '--output', output])).code, 0)
      texts.push((await events(['query', 'all.sql', '--from', output, '--format', 'json'])).stdout)
    }
    assert.equal(texts[0], texts[1])
    const rows = JSON.parse(texts[0]!) as { event_id: string; text: string }[]
    assert.ok(Math.abs(rows.length - 5_000) < 250, `${rows.length} events`)
    for (const { event_id, text } of rows) assertPublished(recordOf(event_id, JSON.parse(text, withoutNulls)))
  })
})

function withoutNulls(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null))
}

/** As it would have stood in Kafka. */
function recordOf(eventId: string, row: Record<string, unknown>) {
  const { event_id, recorded_at, kafka_partition, kafka_offset, ...data } = row
  for (const name of ['occurred_at', 'queued_at', 'expires_at', 'next_attempt_at']) {
    if (data[name] !== undefined) data[name] = new Date(String(data[name])).toISOString()
  }
  const traceparent = `00-${data.trace_id}-b7ad6b7169203331-01`
  const headers = {
    ce_specversion: '1.0',
    ce_id: eventId,
    ce_source: '/postrider/courier',
    ce_type: `dev.postrider.delivery.${data.status}.v1`,
    ce_subject: String(data.message_id),
    ce_time: String(data.occurred_at),
    ce_dataschema: 'https://postrider.dev/schemas/delivery-status.v1.json',
    ce_traceparent: traceparent,
    traceparent,
    'content-type': 'application/json',
  }
  return { key: String(data.message_id), value: JSON.stringify(data), headers }
}
