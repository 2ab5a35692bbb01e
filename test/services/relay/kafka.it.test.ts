/** The relay's rows in a real Kafka, through the real producer. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pino from 'pino'
import { ensureTopics, openProducer } from '#libs/bus'
import { openDatabase } from '#libs/database'
import { DEFAULT_PROJECT_ID, decodeStatus, partitionOfKey, topics } from '#libs/messages'
import { readTopic, type TopicRecord } from '../../support/read-topic.ts'
import { testDatabase, testKafka, waitFor } from '../../support/servers.ts'
import { enqueue, mailTo, PARTITIONS, rowsLeft, sealer, startRelay } from './open-relay.ts'

function idOf({ headers }: TopicRecord): string | undefined {
  return headers.ce_id?.toString()
}

describe('runRelay with Kafka', () => {
  it('writes rows in order per key, and sets aside only what the broker refuses', { timeout: 90_000 }, async (t) => {
    const { url } = await testDatabase(t)
    const { brokers, prefix } = testKafka()
    const names = topics(prefix)
    const list = brokers.split(',')
    await ensureTopics({
      brokers: list,
      topics: [names.messages, names.notices, names.status].map((name) => ({
        name,
        partitions: PARTITIONS,
        replication: 1,
        config: {},
      })),
    })
    await using database = openDatabase({ url, applicationName: 'test' })
    await using producer = await openProducer({ brokers: list, clientId: 'test', log: pino({ level: 'silent' }) })
    const wanted = new Map<string, string[]>()
    for (let i = 0; i < 10; i++) {
      const recipients = Array.from({ length: 30 }, (_, n) => `user-${n}@example.org`)
      const ids = await enqueue(
        database,
        recipients.map((recipient) => mailTo(recipient)),
      )
      for (const [n, recipient] of recipients.entries())
        wanted.set(recipient, [...(wanted.get(recipient) ?? []), ids[n]!])
    }
    await database.query({
      text: `insert into outbox.message (id, project_id, channel, template_type, lane, expires_at, key, value)
             select id, $1, 'email', 'stub', 'notice', now() + interval '1 hour', $2, repeat('x', 3000000) from outbox.new_ids(1) id`,
      values: [DEFAULT_PROJECT_ID, sealer.hmac(DEFAULT_PROJECT_ID, 'user-1@example.org')],
    })

    const relay = startRelay(t, url, producer.send, { topics: names })
    await waitFor(async () => (await rowsLeft(database)) === 0, { timeoutMs: 30_000 })
    const dead = await waitFor(async () => {
      const { rows } = await database.query<{ id: string; announced_at: Date | null }>({
        text: 'select * from outbox.dead',
      })
      return rows[0]?.announced_at ? rows[0] : undefined
    })
    await relay.stop()

    const records = await readTopic(brokers, names.notices)
    assert.equal(records.length, 300)
    for (const [recipient, ids] of wanted) {
      const key = sealer.hmac(DEFAULT_PROJECT_ID, recipient)
      const ofKey = records.filter((record) => record.key?.toString() === key)
      assert.deepEqual(new Set(ofKey.map(({ partition }) => partition)), new Set([partitionOfKey(key, PARTITIONS)]))
      assert.deepEqual(ofKey.toSorted((a, b) => Number(a.offset) - Number(b.offset)).map(idOf), ids)
    }
    const [event] = await readTopic(brokers, names.status)
    const { data } = decodeStatus(event?.value ?? null, event?.headers ?? {})
    assert.deepEqual([data.message_id, data.status, data.reason], [dead.id, 'abandoned', 'undecodable'])
  })
})
