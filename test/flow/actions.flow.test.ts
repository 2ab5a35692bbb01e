/** What an operator does to messages that are under way, with real couriers: cancel, retry now, resend, and watching it live. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { type Database, openDatabase } from '#libs/database'
import { decodeStatus, topics } from '#libs/messages'
import { openEventClient } from '../support/event-stream.ts'
import { readTopic } from '../support/read-topic.ts'
import { freePort, waitFor } from '../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../support/smtp-sink.ts'
import { openSystem, type System } from '../support/system.ts'

const MESSAGES = '/admin/courier/messages'
/** Longer than any test: nothing is sent by its schedule. */
const LATER = '451 4.7.1 greylisted, come back later'

describe('an operator', () => {
  let system: System
  let sink: SmtpSink
  let database: Database
  let greylists = true
  before(async () => {
    const port = await freePort()
    sink = await openSmtpSink({
      port,
      answer: (command, line, session) => {
        if (command === 'RCPT' && line.includes('later-') && greylists) return LATER
        if (command === 'DOT' && session.recipients.some((to) => to.includes('hang-'))) return ''
        return undefined
      },
    })
    system = await openSystem({
      env: {
        COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${port}/?disable_starttls=true`,
        POSTRIDER_COURIER_ON_UNKNOWN: JSON.stringify({ stub: 'hold' }),
      },
    })
    database = openDatabase({ url: system.databaseUrl, applicationName: 'test', max: 2 })
  })
  after(async () => {
    await database?.[Symbol.asyncDispose]()
    await system?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
  })

  const post = async (recipient: string, more: Record<string, unknown> = {}): Promise<string> => {
    const message = { recipient, template_type: 'stub', template_data: { subject: 's', body: 'b' }, ...more }
    const { status, body } = await system.request('POST', `${system.console}${MESSAGES}`, message)
    assert.equal(status, 202)
    return body.id
  }
  const act = (id: string, action: string, headers?: Record<string, string>) =>
    system.request('POST', `${system.console}${MESSAGES}/${id}/${action}`, undefined, headers)
  const mailsTo = (recipient: string) => sink.mails.filter(({ to }) => to.includes(recipient)).length
  const eventsOf = async (id: string) =>
    (await readTopic(system.brokers, topics(system.topicPrefix).status))
      .map(({ value, headers }) => decodeStatus(value, headers))
      .filter(({ data }) => data.message_id === id)
  const terminalOf = async (id: string) => (await eventsOf(id)).filter(({ data }) => data.terminal)

  it('cancels a deferred message: it is never sent, and is cancelled everywhere', { timeout: 120_000 }, async () => {
    const [id, other] = [await post('later-cancel@example.org'), await post('later-control@example.org')]
    await Promise.all([system.messageIn(id, 'deferred'), system.messageIn(other, 'deferred')])
    assert.deepEqual(await act(id, 'cancel').then(({ status, body }) => [status, body]), [202, { id }])
    const cancelled = await system.messageIn(id, 'cancelled')
    assert.equal(cancelled.status, 'abandoned')
    assert.equal(cancelled.next_attempt_at, null)
    const events = await terminalOf(id)
    assert.equal(events.length, 1)
    const { data, createdBy } = events[0]!
    assert.deepEqual(
      [data.status, data.reason, data.dispatch, data.attempt, data.attempted, data.possibly_delivered],
      ['cancelled', 'operator', 1, 1, false, false],
    )
    assert.equal(data.trace_id, cancelled.trace_id)
    // Of the very span that the message began with, which only the ledger knew.
    assert.equal(createdBy, (await eventsOf(id))[0]?.createdBy)
    const { rows } = await database.query({
      text: 'select state, payload, due_at from courier.ledger where message_id = $1',
      values: [id],
    })
    assert.deepEqual(rows, [{ state: 4, payload: null, due_at: null }])
    for (const action of ['cancel', 'retry']) {
      const refused = await act(id, action)
      assert.deepEqual([refused.status, refused.body.error.details.state], [409, 'cancelled'])
    }

    // Retry now sends the other one at once, minutes before its time; whatever is due goes with it.
    greylists = false
    assert.ok(Date.parse((await system.message(other)).next_attempt_at) - Date.now() > 60_000)
    assert.equal((await act(other, 'retry')).status, 202)
    await system.messageIn(other, 'sent', 10_000)
    greylists = true
    assert.deepEqual([mailsTo('later-control@'), mailsTo('later-cancel@')], [1, 0])
    const resent = await act(other, 'retry')
    assert.deepEqual([resent.status, resent.body.error.details.state], [409, 'sent'])
  })

  it('cancels a message that is still in Kafka: the courier that reads it never sends it', {
    timeout: 120_000,
  }, async () => {
    const courier = await system.kill('courier', 'SIGSTOP')
    let id: string
    try {
      id = await post('kafka-cancel@example.org')
      await waitFor(async () => (await database.query({ text: 'select from outbox.message limit 1' })).rowCount === 0, {
        message: 'the relay did not publish',
      })
      assert.equal((await act(id, 'cancel')).status, 202)
    } finally {
      process.kill(courier, 'SIGCONT')
    }
    await system.messageIn(id, 'cancelled', 60_000)
    const sent = await post('kafka-next@example.org')
    await system.messageIn(sent, 'sent', 60_000)
    // Read and passed: its offset is committed.
    await waitFor(async () => (await lagOf('courier.notice')) === 0, {
      timeoutMs: 30_000,
      message: 'offsets stay open',
    })
    assert.deepEqual([mailsTo('kafka-cancel@'), mailsTo('kafka-next@')], [0, 1])
    const events = await eventsOf(id)
    assert.deepEqual(
      events.map(({ data }) => [data.status, data.dispatch]),
      [['cancelled', 0]],
    )
    assert.equal((await system.message(id)).state, 'cancelled')
  })

  async function lagOf(group: string): Promise<number> {
    const { notices } = topics(system.topicPrefix)
    const kafka = new Kafka({ clientId: 'test', brokers: system.brokers.split(','), logLevel: logLevel.NOTHING })
    const admin = kafka.admin()
    await admin.connect()
    try {
      const ends = await admin.fetchTopicOffsets(notices)
      const [found] = await admin.fetchOffsets({
        groupId: `${system.topicPrefix}postrider.${group}`,
        topics: [notices],
      })
      const committed = new Map(found?.partitions.map(({ partition, offset }) => [partition, Number(offset)]))
      return ends.reduce((sum, { partition, high }) => {
        const at = committed.get(partition) ?? -1
        return sum + (Number(high) === 0 ? 0 : Number(high) - Math.max(0, at))
      }, 0)
    } finally {
      await admin.disconnect()
    }
  }

  it('cannot cancel what is being sent, and sends again what is held', { timeout: 120_000 }, async () => {
    const id = await post('hang-once@example.org')
    await waitFor(() => sink.lines.some((line) => line.includes('hang-once')), {
      timeoutMs: 30_000,
    })
    await waitFor(async () => {
      const { rows } = await database.query<{ state: number }>({
        text: 'select state from courier.ledger where message_id = $1',
        values: [id],
      })
      return rows[0]?.state === 1
    })
    for (const action of ['cancel', 'retry']) {
      const refused = await act(id, action)
      assert.deepEqual([refused.status, refused.body.error.details.state], [409, 'processing'])
    }
    assert.match((await act(id, 'cancel')).body.error.message, /being sent/)
    sink.disconnectAll()
    const held = await system.messageIn(id, 'held')
    assert.equal(held.possibly_delivered, true)
    assert.equal((await act(id, 'retry')).status, 202)
    // It is tried again, and hangs again: the sink saw the recipient twice.
    await waitFor(() => sink.lines.filter((line) => line.includes('RCPT TO:<hang-once')).length === 2, {
      timeoutMs: 10_000,
    })
    sink.disconnectAll()
    await waitFor(async () => (await system.message(id)).send_count === 2)
    await system.messageIn(id, 'held')
    assert.equal((await act(id, 'cancel')).status, 202)
    assert.equal((await system.messageIn(id, 'cancelled')).possibly_delivered, true)
    assert.equal((await terminalOf(id)).length, 1)
  })

  it('resends: a new mail with the same content, which names the old one and has a trace of its own', {
    timeout: 60_000,
  }, async () => {
    const id = await post('again@example.org')
    const old = await system.messageIn(id, 'sent')
    const key = { 'idempotency-key': 'resend-1' }
    const { status, body } = await act(id, 'resend', key)
    assert.equal(status, 202)
    assert.deepEqual((await act(id, 'resend', key)).body, body)
    const fresh = await system.messageIn(body.id, 'sent')
    assert.deepEqual([fresh.resent_from, fresh.recipient], [id, 'again@example.org'])
    assert.notEqual(fresh.trace_id, old.trace_id)
    assert.equal(mailsTo('again@'), 2)
    assert.equal(old.resent_from, null)
  })

  it('sees every change live, as the list shows it, also across a reconnect', { timeout: 120_000 }, async () => {
    const url = `${system.console}${MESSAGES}/stream?domain=live.example&q=stub`
    const all = `${system.console}${MESSAGES}/stream`
    await using filtered = await openEventClient(url)
    const first = await openEventClient(all)
    assert.equal(first.headers.get('content-type'), 'text/event-stream; charset=utf-8')
    const ids: string[] = []
    for (let i = 0; i < 20; i++) ids.push(await post(`user-${i}@live.example`))
    await waitFor(() => first.events.some(({ data }) => ids.includes(data?.id)))
    const before = first.events.slice()
    const at = first.lastEventId()
    await first[Symbol.asyncDispose]()
    for (let i = 20; i < 40; i++) ids.push(await post(`user-${i}@live.example`))
    await Promise.all(ids.map((id) => system.messageIn(id, 'sent')))
    await using second = await openEventClient(all, at)
    const latest = () => {
      const byId = new Map<string, unknown>()
      for (const { event, data } of [...before, ...second.events]) if (event === 'message') byId.set(data.id, data)
      return byId
    }
    await waitFor(() => ids.every((id) => (latest().get(id) as { state: string } | undefined)?.state === 'sent'), {
      timeoutMs: 20_000,
      message: 'changes are missing',
    })
    const { body: listed } = await system.request(
      'GET',
      `${system.console}${MESSAGES}?page_size=100&domain=live.example`,
    )
    assert.equal(listed.length, 40)
    for (const message of listed) assert.deepEqual(latest().get(message.id), message)
    assert.ok(second.events.every(({ event }) => event !== 'gap'))
    await waitFor(() => new Set(filtered.events.map(({ data }) => data?.id).filter(Boolean)).size === 40)
    for (const { data } of filtered.events) if (data !== undefined) assert.equal(data.state, 'sent')
  })

  it('is told when the console stops, and goes on at the next one', { timeout: 120_000 }, async () => {
    await using client = await openEventClient(`${system.console}${MESSAGES}/stream`)
    await waitFor(() => client.lastEventId())
    await system.kill('console', 'SIGTERM')
    await client.ended
    assert.equal(client.events.at(-1)?.event, 'closing')
    await waitFor(async () => (await fetch(`${system.console}/health/alive`)).ok, { timeoutMs: 30_000 })
    const id = await post('after-stop@example.org')
    await using next = await openEventClient(`${system.console}${MESSAGES}/stream`, client.lastEventId())
    await waitFor(() => next.events.some(({ data }) => data?.id === id), { timeoutMs: 10_000 })
    assert.ok(next.events.every(({ event }) => event !== 'gap'))
  })

  it('finds who did what, without an address', async () => {
    const { status, body } = await system.request('GET', `${system.console}/admin/audit?limit=100`)
    assert.equal(status, 200)
    const actions = new Set(body.map(({ action }: { action: string }) => action))
    for (const action of ['message.cancel', 'message.retry', 'message.resend']) assert.ok(actions.has(action), action)
    for (const { actor, action, at } of body) {
      // The console took the settings of the environment over when it started.
      assert.equal(actor, action === 'project.configure' ? 'file' : 'local')
      assert.ok(Date.parse(at) > 0)
    }
    assert.doesNotMatch(JSON.stringify(body), /@/)
  })
})
