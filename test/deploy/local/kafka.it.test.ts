import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { type EmbeddedKafka, openEmbeddedKafka } from '../../../deploy/local/kafka.ts'
import { freePort } from '../../../deploy/local/local-port.ts'
import { openTestHome, type TestHome } from '../../support/test-servers.ts'

async function withAdmin<T>(brokers: string, ask: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, retry: { retries: 1 } }).admin()
  await admin.connect()
  try {
    return await ask(admin)
  } finally {
    await admin.disconnect()
  }
}

describe('openEmbeddedKafka', () => {
  let home: TestHome
  let port: number
  let first: EmbeddedKafka
  const start = (): Promise<EmbeddedKafka> => openEmbeddedKafka({ home: home.path, port, log: () => undefined })

  before(async () => {
    home = await openTestHome()
    port = await freePort()
    first = await start()
  })
  after(() => home[Symbol.asyncDispose]())

  it('takes topics as soon as it is open, and makes none unasked', async () => {
    const topics = [{ topic: 'kept', numPartitions: 3, replicationFactor: 1 }]
    assert.equal(await withAdmin(first.brokers, (admin) => admin.createTopics({ topics, waitForLeaders: true })), true)
    await assert.rejects(withAdmin(first.brokers, (admin) => admin.fetchTopicOffsets('unasked')))
    assert.deepEqual(await withAdmin(first.brokers, (admin) => admin.listTopics()), ['kept'])
  })

  it('starts again after kill -9 with its topics', async () => {
    process.kill(first.pid, 'SIGKILL')
    assert.equal(await first.ended, 'SIGKILL')
    const second = await start()
    assert.deepEqual(await withAdmin(second.brokers, (admin) => admin.listTopics()), ['kept'])

    // And a broker that still runs, as after kill -9 of its starter alone, is replaced.
    await using third = await start()
    await second.ended
    assert.notEqual(third.pid, second.pid)
    assert.deepEqual(await withAdmin(third.brokers, (admin) => admin.listTopics()), ['kept'])
  })
})
