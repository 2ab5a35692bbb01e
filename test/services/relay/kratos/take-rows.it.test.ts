import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CodedError } from '#libs/errors'
import { decodeMessage, decodeStatus, partitionOfKey } from '#libs/messages'
import { beginDrain } from '../../../../services/relay/kratos/source-repository.ts'
import { takeRows } from '../../../../services/relay/kratos/take-rows.ts'
import { writeBack } from '../../../../services/relay/kratos/write-back.ts'
import { administer, waitFor } from '../../../support/servers.ts'
import { memoryKafka, PARTITIONS, TOPICS } from '../open-relay.ts'
import { everyKind } from './kratos-tables.ts'
import { openSource, publishedIds, takePorts } from './sources.ts'
import { statusOf } from './statuses.ts'

describe('takeRows', () => {
  it('publishes every kind of row once, in its lane, and marks it as processing', async (t) => {
    const source = await openSource(t)
    const sms = {
      type: 'sms',
      recipient: '+4930901820',
      templateType: 'login_code_valid',
      data: { login_code: '123456' },
    }
    const ids = await source.kratos.add([...everyKind(), sms as never])
    const kafka = memoryKafka()
    const ports = await takePorts(t, source, kafka)
    assert.deepEqual(await takeRows(ports, 500), { found: ids.length, published: ids.length })
    assert.deepEqual(await takeRows(ports, 500), { found: 0, published: 0 })

    assert.deepEqual([...publishedIds(kafka.log).keys()].sort(), ids.toSorted())
    for (const { topic, partition, record } of kafka.log) {
      const message = decodeMessage(record.value)
      assert.equal(partition, partitionOfKey(record.key, PARTITIONS))
      assert.equal(topic, message.lane === 'urgent' ? TOPICS.messages : TOPICS.notices)
      assert.equal(message.project_id, source.kratos.nid)
    }
    const stored = await source.kratos.messages()
    assert.deepEqual(new Set(stored.map(({ status }) => status)), new Set([3]))
    assert.ok(stored.every(({ is_touched, send_count }) => !is_touched && send_count === 0))
  })

  it('takes the oldest first, and leaves what is not queued', async (t) => {
    const source = await openSource(t)
    const ids = await source.kratos.add(
      [2, 1, 3, 4].map((status, index) => ({ status, createdAt: new Date(Date.now() - index * 1_000) })),
    )
    const [older, newer] = await source.kratos.add([{ createdAt: new Date(Date.now() - 60_000) }, {}])
    const kafka = memoryKafka()
    const ports = await takePorts(t, source, kafka)
    await takeRows(ports, 1)
    assert.deepEqual([...publishedIds(kafka.log).keys()], [older])
    await takeRows(ports, 500)
    assert.deepEqual(new Set(publishedIds(kafka.log).keys()), new Set([older, ids[1], newer]))
  })

  it('never takes what another relay is taking', async (t) => {
    const source = await openSource(t)
    await source.kratos.add(Array.from({ length: 20 }, () => ({})))
    const gate = Promise.withResolvers<void>()
    const slow = memoryKafka(() => gate.promise)
    const quick = memoryKafka()
    const first = takeRows(await takePorts(t, source, slow), 12)
    await waitFor(
      async () => (await source.database.query({ text: 'select from postrider_kratos.message' })).rowCount === 12,
    )
    assert.deepEqual(await takeRows(await takePorts(t, source, quick), 500), { found: 8, published: 8 })
    gate.resolve()
    assert.deepEqual(await first, { found: 12, published: 12 })
    const all = [...publishedIds(slow.log).keys(), ...publishedIds(quick.log).keys()]
    assert.equal(new Set(all).size, 20)
    assert.equal(all.length, 20)
  })

  it('publishes the very same message again where it died between acknowledgement and commit', async (t) => {
    const source = await openSource(t)
    await source.kratos.add([{ createdAt: new Date(Date.now() - 40 * 3_600_000) }, {}])
    const kafka = memoryKafka()
    const dying = await takePorts(t, source, {
      send: async (...given) => {
        await kafka.send(...given)
        await administer(
          source.url,
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'taker' and state like 'idle in%'",
        )
      },
    })
    await assert.rejects(takeRows(dying, 500))
    assert.deepEqual(
      (await source.kratos.messages()).map(({ status }) => status),
      [1, 1],
    )
    await takeRows(await takePorts(t, source, kafka), 500)
    for (const [, ids] of publishedIds(kafka.log)) assert.deepEqual([ids.length, new Set(ids).size], [2, 1])
    assert.deepEqual(
      (await source.kratos.messages()).map(({ status }) => status),
      [3, 3],
    )
  })

  it('leaves rows queued that Kafka does not take, and takes them later under the same ids', async (t) => {
    const source = await openSource(t)
    await source.kratos.add([{}, {}, {}])
    const kafka = memoryKafka()
    const away = await takePorts(t, source, {
      send: () => Promise.reject(new CodedError('PRODUCE_FAILED', 'not acknowledged in time')),
    })
    assert.deepEqual(await takeRows(away, 500), { found: 3, published: 0 })
    const reserved = await source.database.query({ text: 'select message_id from postrider_kratos.message' })
    assert.deepEqual(await takeRows(await takePorts(t, source, kafka), 500), { found: 3, published: 3 })
    assert.deepEqual(
      [...publishedIds(kafka.log).values()].flat().sort(),
      reserved.rows.map(({ message_id }) => message_id).sort(),
    )
  })

  it('ends what nobody could take as abandoned, with the reason, and takes the others', async (t) => {
    const source = await openSource(t)
    const [bad, good, refused] = await source.kratos.add([
      { recipient: 'nobody at all' },
      {},
      { data: { subject: 's', body: 'too large for Kafka' } },
    ])
    const kafka = memoryKafka()
    const ports = await takePorts(t, source, {
      send: async (topic, partition, records) => {
        const indexes = records.flatMap(({ value }, index) =>
          topic !== TOPICS.status && decodeMessage(value).source_id === refused ? [index] : [],
        )
        await kafka.send(
          topic,
          partition,
          records.filter((_, index) => !indexes.includes(index)),
        )
        if (indexes.length > 0)
          throw new CodedError('PRODUCE_REFUSED', 'Kafka refused it', { details: { refused: indexes } })
      },
    })
    assert.deepEqual(await takeRows(ports, 500), { found: 3, published: 3 })
    assert.deepEqual([...publishedIds(kafka.log).keys()], [good])
    const events = kafka.log
      .filter(({ topic }) => topic === TOPICS.status)
      .map(({ record }) => decodeStatus(record.value, record.headers))
    await writeBack(source.database, events)

    const rows = new Map((await source.kratos.messages()).map((row) => [row.id, row]))
    assert.deepEqual(
      [bad, good, refused].map((id) => rows.get(id!)?.status),
      [4, 3, 4],
    )
    const { error } = rows.get(bad!)!.dispatches[0]!
    assert.match(error.message, /^recipient: expected/)
    assert.ok(!JSON.stringify(events).includes('nobody'))
  })

  it('makes a new message of a row that was queued again after its end, and the same of one still under way', async (t) => {
    const source = await openSource(t)
    const [ended, underWay] = await source.kratos.add([{}, {}])
    const kafka = memoryKafka()
    const ports = await takePorts(t, source, kafka)
    await takeRows(ports, 500)
    const first = publishedIds(kafka.log)
    await writeBack(source.database, [statusOf(first.get(ended!)![0]!, 1, 'abandoned')])
    for (const id of [ended!, underWay!]) await source.kratos.setStatus(id, 1)
    await takeRows(ports, 500)

    const ids = publishedIds(kafka.log)
    assert.equal(new Set(ids.get(ended!)).size, 2)
    assert.equal(new Set(ids.get(underWay!)).size, 1)
    const second = ids.get(ended!)!.at(-1)!
    // The first message's end, heard again, is no longer the row's.
    await writeBack(source.database, [statusOf(first.get(ended!)![0]!, 1, 'abandoned'), statusOf(second, 1, 'sent')])
    const row = (await source.kratos.messages()).find(({ id }) => id === ended)!
    assert.deepEqual([row.status, row.send_count, row.dispatches.length], [2, 2, 2])
  })

  it('takes nothing new while the source drains, but what may be published already', async (t) => {
    const source = await openSource(t)
    const [started] = await source.kratos.add([{}])
    const away = await takePorts(t, source, { send: () => Promise.reject(new CodedError('PRODUCE_FAILED', 'away')) })
    await takeRows(away, 500)
    await source.kratos.add([{}, {}])
    await beginDrain(source.database)
    const kafka = memoryKafka()
    await takeRows(await takePorts(t, source, kafka), 500)
    assert.deepEqual([...publishedIds(kafka.log).keys()], [started])
  })

  it('lets no drain begin in the middle of a pass', async (t) => {
    const source = await openSource(t)
    await source.kratos.add([{}])
    const gate = Promise.withResolvers<void>()
    const kafka = memoryKafka(() => gate.promise)
    const taking = takeRows(await takePorts(t, source, kafka), 500)
    await waitFor(async () => (await source.database.query({ text: 'select from postrider_kratos.message' })).rowCount)
    let isBegun = false
    const draining = beginDrain(source.database).then(() => {
      isBegun = true
    })
    await waitFor(
      async () => (await source.database.query({ text: 'select from pg_locks where not granted' })).rowCount,
    )
    assert.equal(isBegun, false)
    gate.resolve()
    await Promise.all([taking, draining])
    assert.equal(isBegun, true)
  })

  it('takes rows of a Kratos that knows neither channels nor request headers', async (t) => {
    const source = await openSource(t)
    await source.database.query({
      text: 'alter table courier_messages drop column channel, drop column request_headers',
    })
    await source.database.query({
      text: `insert into courier_messages (id, nid, type, status, body, subject, recipient, created_at, updated_at, template_type)
             select gen_random_uuid(), id, 1, 1, 'text', 'subject', 'ada@example.org', now(), now(), 'stub' from networks`,
    })
    const kafka = memoryKafka()
    assert.equal((await takeRows(await takePorts(t, source, kafka), 500)).published, 1)
    assert.equal(decodeMessage(kafka.log[0]!.record.value).channel, 'email')
  })
})
