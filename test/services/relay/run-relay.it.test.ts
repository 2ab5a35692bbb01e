import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Database, openDatabase } from '#libs/database'
import { CodedError } from '#libs/errors'
import {
  asMessageId,
  DEFAULT_PROJECT_ID,
  decodeMessage,
  decodeStatus,
  partitionOfId,
  partitionOfKey,
  type SealedContent,
} from '#libs/messages'
import { testDatabase, waitFor } from '../../support/servers.ts'
import {
  enqueue,
  mailTo,
  memoryKafka,
  outbox,
  PARTITIONS,
  type Published,
  rowsLeft,
  sealer,
  startRelay,
  TOPICS,
} from './open-relay.ts'

async function setup(t: TestContext): Promise<{ url: string; database: Database }> {
  const { url } = await testDatabase(t)
  const database = openDatabase({ url, applicationName: 'test' })
  t.after(() => database[Symbol.asyncDispose]())
  return { url, database }
}

function ids(log: readonly Published[], topic: string): string[] {
  return log.filter((one) => one.topic === topic).map(({ record }) => record.headers.ce_id ?? '')
}

async function deadRows(database: Database): Promise<Record<string, unknown>[]> {
  return (await database.query({ text: 'select * from outbox.dead' })).rows
}

describe('runRelay', () => {
  it('publishes rows by lane and key, as they are, and removes them', async (t) => {
    const { url, database } = await setup(t)
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'
    const notices = await enqueue(
      database,
      Array.from({ length: 200 }, (_, i) => mailTo(`user-${i % 40}@example.org`)),
    )
    const [urgent] = await enqueue(database, [
      mailTo('ada@example.org', { lane: 'urgent', traceparent, tracestate: 'a=b' }),
    ])
    const stored = await database.query<{ id: string; value: string }>({ text: 'select id, value from outbox.message' })
    const values = new Map(stored.rows.map(({ id, value }) => [id, value]))
    const { log, send } = memoryKafka()
    const relay = startRelay(t, url, send)
    await waitFor(async () => (await rowsLeft(database)) === 0)
    await relay.stop()

    assert.deepEqual(ids(log, TOPICS.notices).toSorted(), notices.toSorted())
    assert.deepEqual(ids(log, TOPICS.messages), [urgent])
    for (const { partition, record } of log) {
      assert.equal(partition, partitionOfKey(record.key, PARTITIONS))
      assert.equal(record.value, values.get(record.headers.ce_id ?? ''))
      assert.match(record.headers.traceparent ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    }
    assert.deepEqual(log.find(({ topic }) => topic === TOPICS.messages)?.record.headers, {
      traceparent,
      tracestate: 'a=b',
      ce_traceparent: traceparent,
      ce_id: urgent,
      ce_type: 'dev.postrider.message.v1',
      'content-type': 'application/json',
    })
  })

  it('seals a row that was written in clear, under the key that the library would take', async (t) => {
    const { url, database } = await setup(t)
    const text = `select outbox.enqueue('ada@example.org', 'login_code_valid', '{"login_code": "123456"}', locale => 'de') as id`
    const id = (await database.query<{ id: string }>({ text })).rows[0]!.id
    const { log, send } = memoryKafka()
    const relay = startRelay(t, url, send)
    await waitFor(async () => (await rowsLeft(database)) === 0)
    await relay.stop()

    assert.deepEqual(ids(log, TOPICS.messages), [id])
    const { key, value } = log[0]!.record
    assert.equal(key, sealer.hmac(DEFAULT_PROJECT_ID, 'ada@example.org'))
    const record = decodeMessage(value)
    assert.deepEqual([record.id, record.lane, record.locale], [id, 'urgent', 'de'])
    const content = sealer.open(record.project_id, record.sealed) as SealedContent
    assert.deepEqual(content, { recipient: 'ada@example.org', template_data: { login_code: '123456' } })
    assert.ok(!value.includes('123456') && !value.includes('ada@'))
  })

  it('sets a row aside that Kafka refuses, with an event, and publishes the others', async (t) => {
    const { url, database } = await setup(t)
    const all = await enqueue(
      database,
      Array.from({ length: 50 }, () => mailTo('ada@example.org')),
    )
    const poison = all[20]!
    const { log, send } = memoryKafka()
    const relay = startRelay(t, url, async (topic, partition, records) => {
      const refused = records.flatMap(({ headers }, i) =>
        headers.ce_id === poison && headers.ce_type === 'dev.postrider.message.v1' ? [i] : [],
      )
      await send(
        topic,
        partition,
        records.filter((_, i) => !refused.includes(i)),
      )
      if (refused.length > 0) throw new CodedError('PRODUCE_REFUSED', 'too large', { details: { refused } })
    })
    await waitFor(async () => (await rowsLeft(database)) === 0 && ids(log, TOPICS.status).length > 0)
    await waitFor(async () => (await deadRows(database))[0]?.announced_at)
    await relay.stop()

    assert.deepEqual(
      ids(log, TOPICS.notices),
      all.filter((id) => id !== poison),
    )
    const [dead] = await deadRows(database)
    assert.deepEqual([dead?.id, dead?.reason], [poison, 'too large'])
    const { partition, record } = log.find(({ topic }) => topic === TOPICS.status)!
    assert.equal(record.key, poison)
    assert.equal(partition, partitionOfId(asMessageId(poison), PARTITIONS))
    const { data } = decodeStatus(record.value.toString(), record.headers)
    assert.deepEqual(
      [data.status, data.reason, data.dispatch, data.attempted, data.terminal, data.possibly_delivered, data.error],
      ['abandoned', 'undecodable', 0, false, true, false, 'too large'],
    )
  })

  it('sets a row in clear aside that nobody could take, sealed', async (t) => {
    const { url, database } = await setup(t)
    await database.query({
      text: `insert into outbox.message (id, project_id, channel, template_type, lane, expires_at, plain)
             select id, '${DEFAULT_PROJECT_ID}', 'email', 'stub', 'notice', now() + interval '1 hour',
               '{"recipient": "planted@@example.org", "template_data": {"subject": "planted subject"}}'
             from outbox.new_ids(1) id`,
    })
    const [good] = await enqueue(database, [mailTo('ada@example.org')])
    const { log, send } = memoryKafka()
    const relay = startRelay(t, url, send)
    await waitFor(async () => (await rowsLeft(database)) === 0 && ids(log, TOPICS.status).length > 0)
    await relay.stop()

    assert.deepEqual(ids(log, TOPICS.notices), [good])
    const [dead] = await deadRows(database)
    assert.match(String(dead?.reason), /^recipient: /)
    const { project_id, sealed } = decodeMessage(String(dead?.value))
    assert.equal((sealer.open(project_id, sealed) as SealedContent).recipient, 'planted@@example.org')
    assert.ok(!JSON.stringify([dead, log]).includes('planted'))
  })

  it('keeps rows while Kafka is away, and publishes them in order when it is back', async (t) => {
    const { url, database } = await setup(t)
    let isAway = true
    let attempts = 0
    const { log, send } = memoryKafka(() => {
      attempts++
      if (isAway) throw new CodedError('PRODUCE_FAILED', 'nobody there')
    })
    const relay = startRelay(t, url, send)
    const all: string[] = []
    for (let i = 0; i < 5; i++) all.push(...(await enqueue(database, [mailTo('ada@example.org')])))
    await waitFor(() => attempts >= 3)
    assert.equal(await rowsLeft(database), 5)
    isAway = false
    await waitFor(async () => (await rowsLeft(database)) === 0)
    await relay.stop()
    assert.deepEqual(ids(log, TOPICS.notices), all)
    assert.deepEqual(await deadRows(database), [])
  })

  it('does not set rows aside when a whole topic may not be written to', async (t) => {
    const { url, database } = await setup(t)
    await enqueue(database, [mailTo('ada@example.org')])
    const cause = Object.assign(new Error('not authorized'), { type: 'TOPIC_AUTHORIZATION_FAILED' })
    let attempts = 0
    const relay = startRelay(t, url, async () => {
      attempts++
      throw new CodedError('PRODUCE_REFUSED', 'not authorized', { cause, details: { refused: [0] } })
    })
    await waitFor(() => attempts >= 2)
    await relay.stop()
    assert.equal(await rowsLeft(database), 1)
    assert.deepEqual(await deadRows(database), [])
  })

  it('stops one line only when one partition is slow', async (t) => {
    const { url, database } = await setup(t)
    const gate = Promise.withResolvers<void>()
    const slow = partitionOfKey(sealer.hmac(DEFAULT_PROJECT_ID, 'ada@example.org'), PARTITIONS)
    const { log, send } = memoryKafka(async (topic, partition) => {
      if (topic === TOPICS.notices && partition === slow) await gate.promise
    })
    const [stuck] = await enqueue(database, [mailTo('ada@example.org')])
    const relay = startRelay(t, url, send)
    const others = await enqueue(database, [
      mailTo('ada@example.org', { lane: 'urgent' }),
      ...Array.from({ length: 20 }, (_, i) => mailTo(`user-${i}@example.org`)).filter(
        ({ recipient }) => partitionOfKey(sealer.hmac(DEFAULT_PROJECT_ID, recipient), PARTITIONS) !== slow,
      ),
    ])
    await waitFor(async () => (await rowsLeft(database)) === 1)
    assert.equal(log.length, others.length)
    gate.resolve()
    await waitFor(async () => (await rowsLeft(database)) === 0)
    await relay.stop()
    assert.equal(log.at(-1)?.record.headers.ce_id, stuck)
  })

  it('is woken by a notification', async (t) => {
    const { url, database } = await setup(t)
    const { log, send } = memoryKafka()
    const relay = startRelay(t, url, send)
    for (let i = 0; i < 3; i++) {
      await enqueue(database, [mailTo('ada@example.org')])
      await outbox.wake(database)
      await waitFor(() => log.length === i + 1)
    }
    await relay.stop()
  })

  it('waits for what is under way when told to stop, removes it, and gives its shards back', async (t) => {
    const { url, database } = await setup(t)
    const gate = Promise.withResolvers<void>()
    const sending = Promise.withResolvers<void>()
    const { log, send } = memoryKafka(async () => {
      sending.resolve()
      await gate.promise
    })
    await enqueue(database, [mailTo('ada@example.org')])
    const relay = startRelay(t, url, send)
    await sending.promise
    const stopped = relay.stop()
    await enqueue(database, [mailTo('ada@example.org')])
    gate.resolve()
    await stopped
    assert.equal(log.length, 1)
    assert.equal(await rowsLeft(database), 1)
    const owners = await database.query({ text: 'select from outbox.relay_shard where owner is not null' })
    const members = await database.query({ text: 'select from outbox.relay_member' })
    assert.deepEqual([owners.rowCount, members.rowCount], [0, 0])
  })
})
