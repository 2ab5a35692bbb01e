/** 20,000 facts through a real topic, with copies and disorder, and every query over them with its exact answer. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { ensureTopics } from '#libs/bus'
import { topics } from '#libs/messages'
import { queryNames } from '../../../deploy/cli/event-queries.ts'
import { testKafka } from '../../support/servers.ts'
import { runCli } from '../cli/run-cli.ts'
import * as answers from './answers.ts'
import { AT, HOUR, PARTITIONS, publishStories, type StoriesInKafka, tellStories } from './stories.ts'

const FACTS = 20_000
const stories = tellStories(FACTS)
const messages = answers.messagesOf(stories)
const { brokers, prefix } = testKafka()
const env = { KAFKA_BROKERS: brokers, POSTRIDER_KAFKA_TOPIC_PREFIX: prefix }
const at = new Date(AT).toISOString()

let folder: string
let published: StoriesInKafka
/** From the topic; nothing of it is older than this. */
let publishedMs: number

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postrider-analytics-'))
  const topic = topics(prefix).status
  await ensureTopics({
    brokers: brokers.split(','),
    topics: [{ name: topic, partitions: PARTITIONS, replication: 1, config: {} }],
  })
  publishedMs = Date.now()
  published = await publishStories(brokers, topic, stories)
  for (const output of ['events.parquet', 'events.ndjson']) {
    const { code, stderr } = await runCli(['events', 'export', '--output', output], { cwd: folder, env })
    assert.equal(code, 0, stderr)
    assert.equal(stderr, `${stories.length + published.copies} events, 1 other records left out\n`)
  }
})
after(() => rm(folder, { recursive: true, force: true }))

async function rowsOf(query: string, ...args: readonly string[]): Promise<unknown[][]> {
  const given = ['events', 'query', query, '--format', 'json', '--at', at, ...args]
  const { code, stdout, stderr } = await runCli(given, { cwd: folder, env })
  assert.equal(code, 0, stderr)
  return (JSON.parse(stdout) as object[]).map((row) => Object.values(row))
}

describe('the queries', () => {
  it('are asked about enough', () => {
    assert.ok(stories.length >= FACTS && published.copies > 1_000 && messages.length > 10_000)
  })

  const expected: Record<string, () => unknown[]> = {
    'deferral-reasons': () => answers.deferralReasons(stories),
    funnel: () => answers.funnel(messages),
    'possibly-sent-twice': () => answers.possiblySentTwice(messages, publishedMs),
    providers: () => answers.providers(stories),
    'time-to-sent': () => answers.timeToSent(messages),
    'time-to-sent-over-time': () => answers.timeToSentOverTime(messages, 300_000),
    'why-sent-dropped': () => answers.whySentDropped(stories),
  }
  for (const [name, answer] of Object.entries(expected)) {
    for (const file of ['events.parquet', 'events.ndjson']) {
      it(`${name} answers exactly over ${file}, whatever came twice or out of order`, async () => {
        const found = await rowsOf(name, '--from', file)
        const wanted = answer()
        assert.ok(wanted.length > 1)
        // Of this one the rest of a row is what the message itself says.
        const columns = name === 'possibly-sent-twice' ? [0, 3, 6] : undefined
        assert.deepEqual(
          found.map((row) => columns?.map((index) => row[index]) ?? row),
          wanted,
        )
      })
    }
  }

  it('quality counts copies and disorder', async () => {
    const [[events, facts, copies, count, disordered] = []] = await rowsOf('quality', '--from', 'events.parquet')
    assert.deepEqual(
      [events, facts, copies, count],
      [stories.length + published.copies, stories.length, published.copies, messages.length],
    )
    assert.ok(Number(disordered) > 0)
  })

  it('are all of them here', () => {
    assert.deepEqual([...Object.keys(expected), 'quality'].sort(), queryNames())
  })

  it('finds the drop in what was planted', () => {
    const [first, second] = answers.whySentDropped(stories).filter(([, dimension]) => dimension === 'class')
    assert.deepEqual([first?.[2], Number(first?.[5]) > 3 * Math.abs(Number(second?.[5]))], ['greylisted', true])
  })

  it('count nothing twice where two exports overlap', async () => {
    const both = ['--from', 'events.parquet', '--from', 'events.ndjson']
    for (const name of ['funnel', 'deferral-reasons', 'why-sent-dropped', 'providers']) {
      assert.deepEqual(await rowsOf(name, ...both), expected[name]!())
    }
  })

  it('compare with another time by --set', async () => {
    const rows = await rowsOf('why-sent-dropped', '--from', 'events.parquet', '--set', 'before=2 hours')
    const sentBetween = (from: number, to: number): number =>
      stories.filter(({ data }) => {
        const agoMs = AT - Date.parse(data.occurred_at)
        return data.status === 'sent' && agoMs >= from * HOUR && agoMs < to * HOUR
      }).length
    const total = rows.find(([what, dimension]) => what === 'sent' && dimension === 'all')
    assert.deepEqual(total?.slice(3, 5), [sentBetween(2, 3), sentBetween(0, 1)])
  })

  it('read Kafka where no file is given', async () => {
    assert.deepEqual(await rowsOf('funnel', '--since', '1h'), answers.funnel(messages))
  })

  it('are those of a file, with the last state of every message as the projector has it', async () => {
    await writeFile(join(folder, 'states.sql'), 'select message_id, state from messages order by message_id;\n')
    const states = messages.map(({ id, state }) => [id, state]).sort()
    assert.deepEqual(await rowsOf('states.sql', '--from', 'events.parquet'), states)
  })

  it('tell a try that nobody reported, but not one from before the file begins', async () => {
    const lines = (await readFile(join(folder, 'events.ndjson'), 'utf8')).trimEnd().split('\n')
    const recorded = lines.map((line) => {
      const event = JSON.parse(line)
      return { ...event, recorded_at: new Date(Date.parse(event.occurred_at) + 5).toISOString() }
    })
    const sinceMs = AT - HOUR
    const recent = recorded.filter(({ recorded_at }) => Date.parse(recorded_at) >= sinceMs)
    const text = recent.map((event) => JSON.stringify(event)).join('\n')
    await writeFile(join(folder, 'recent.ndjson'), text)
    const ids = new Set(recent.map(({ event_id }) => event_id))
    const kept = answers.messagesOf(stories.filter(({ eventId }) => ids.has(eventId)))
    const firstMs = Math.min(...recent.map(({ recorded_at }) => Date.parse(recorded_at)))
    const wanted = answers.possiblySentTwice(kept, firstMs)
    assert.ok(wanted.some(([, why]) => why === 'sent after a try that nobody reported'))
    const found = await rowsOf('possibly-sent-twice', '--from', 'recent.ndjson')
    assert.deepEqual(
      found.map((row) => [row[0], row[3], row[6]]),
      wanted,
    )
  })
})
