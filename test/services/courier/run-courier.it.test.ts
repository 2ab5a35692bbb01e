import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { ensureTopics, openProducer } from '#libs/bus'
import { openDatabase } from '#libs/database'
import { decodeStatus, encodeMessage, type MessageRecord, partitionOfId, topics } from '#libs/messages'
import { startTelemetry } from '#libs/telemetry'
import { renderMessage } from '#libs/templates'
import type { ProjectChannels } from '../../../services/courier/project-channels.ts'
import { type CourierParts, runCourier } from '../../../services/courier/run-courier.ts'
import { readTopic } from '../../support/read-topic.ts'
import { testDatabase, testKafka, waitFor } from '../../support/servers.ts'
import { type MemoryChannel, memoryChannel, recordOf, sealer, selected, silent, TRACEPARENT } from './deliveries.ts'

const PARTITIONS = 2

/** Topics, a database, and couriers on them whose mail server is the test. */
async function setup(t: TestContext) {
  const { url } = await testDatabase(t)
  const { brokers: list, prefix } = testKafka()
  const brokers = list.split(',')
  const names = topics(prefix)
  await ensureTopics({
    brokers,
    topics: Object.values(names).map((name) => ({ name, partitions: PARTITIONS, replication: 1, config: {} })),
  })
  const producer = await openProducer({ brokers, clientId: 'test', log: silent })
  t.after(async () => producer[Symbol.asyncDispose]())
  const telemetry = await startTelemetry('test', { env: { LOG_LEVEL: 'silent' }, instance: 'test' })
  t.after(async () => telemetry[Symbol.asyncDispose]())
  const database = openDatabase({ url, applicationName: 'test' })
  t.after(async () => database[Symbol.asyncDispose]())
  const kafka = { brokers, topic_prefix: prefix, partitions: PARTITIONS, replication: 1 }
  const policy = { maxAttempts: 3, scheduleMs: [5_000], onUnknown: 'resend' as const }
  const config = { instance: 'test', kafka, window: 100 } as unknown as CourierParts['config']

  function start(owner: string, channel: MemoryChannel) {
    const stop = new AbortController()
    const session = openDatabase({ url, applicationName: owner, max: 1 })
    const only = selected(channel)
    const channels: ProjectChannels = {
      select: () => only,
      templatesOf: () => ({ render: renderMessage }),
      senderOf: () => undefined,
      mustWait: () => false,
      noteUnreadable: () => undefined,
      policyOf: () => policy,
      ofKey: () => only,
      shares: (roomOf) => ({ own: [], others: [{ channel: 'email', most: roomOf(only.key) }] }),
      follow: () => undefined,
      all: () => [],
      blocked: () => [],
      onChange: () => undefined,
      onFree: channel.onFree,
      close: channel.close,
    }
    const parts = { config, owner, telemetry, database, session, producer, sealer, topics: names, channels }
    const ended = runCourier({ ...parts, stopping: stop.signal }).finally(async () => session[Symbol.asyncDispose]())
    t.after(async () => {
      stop.abort()
      for (const sending of channel.sending.slice()) sending.end()
      await ended
    })
    return { stop: () => stop.abort(), ended }
  }

  const send = async (record: MessageRecord = recordOf()): Promise<string> => {
    const topic = record.lane === 'urgent' ? names.messages : names.notices
    const headers = { traceparent: TRACEPARENT }
    await producer.send(topic, partitionOfId(record.id, PARTITIONS), [
      { key: record.id, value: encodeMessage(record), headers },
    ])
    return record.id
  }
  const statuses = async () =>
    (await readTopic(list, names.status)).map(({ value, headers }) => decodeStatus(value, headers).data)
  return { database, start, send, statuses }
}

describe('runCourier', () => {
  it('delivers both lanes, says so, and leaves when it is told to', async (t) => {
    const { database, start, send, statuses } = await setup(t)
    const channel = memoryChannel()
    const courier = start('courier-a', channel)
    const ids = [await send(), await send(recordOf({ lane: 'notice' })), await send()]
    await waitFor(() => channel.sending.length === 3, { timeoutMs: 30_000 })
    for (const sending of channel.sending.slice()) sending.end()
    await waitFor(async () => (await statuses()).length === 3)
    const told = await statuses()
    assert.deepEqual(told.map(({ message_id }) => message_id).sort(), ids)
    for (const { status, worker } of told) assert.deepEqual([status, worker], ['sent', 'test'])
    courier.stop()
    await courier.ended
    assert.deepEqual((await database.query({ text: 'select owner from courier.member' })).rows, [])
  })

  it('stopped, lets what is being sent end and gives back the rest, so that the next one sends it, once', async (t) => {
    const { start, send, statuses } = await setup(t)
    const [first, second] = [memoryChannel(1), memoryChannel()]
    const leaving = start('courier-a', first)
    const ids = await Promise.all(Array.from({ length: 5 }, () => send()))
    const sending = await waitFor(() => first.sending[0], { timeoutMs: 30_000 })
    leaving.stop()
    const next = start('courier-b', second)
    await waitFor(() => second.sending.length === 4, { timeoutMs: 30_000 })
    sending.end()
    await leaving.ended
    for (const each of second.sending.slice()) each.end()
    await waitFor(async () => (await statuses()).length === 5)
    next.stop()
    await next.ended
    assert.deepEqual([...first.sent, ...second.sent].sort(), ids.sort())
    assert.equal(first.sent.length, 1)
    for (const { dispatch, possibly_delivered } of await statuses())
      assert.deepEqual([dispatch, possibly_delivered], [1, false])
  })
})
