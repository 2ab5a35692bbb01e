/** The facts of a try on their way from a mail server's socket to the API. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Decision } from '#libs/delivery'
import { DEFAULT_PROJECT_ID, encodeMessage, encodeStatus, type MessageRecord, openSealer, topics } from '#libs/messages'
import type { AttemptResult } from '../../../services/courier/channels/channel.ts'
import { openBuildEvent } from '../../../services/courier/status-of-try.ts'
import { applyBatch } from '../../../services/projector/apply-batch.ts'
import { decodeRecord } from '../../../services/projector/decode-record.ts'
import { loadOffset } from '../../../services/projector/read-model.ts'
import { openFixture, outgoingMail, sendBy } from '../courier/channels/smtp/smtp-fixture.ts'
import { claimedDelivery, newId, recordOf } from '../courier/deliveries.ts'
import { received } from '../projector/records.ts'
import { openConsole, type TestConsole } from './open-console.ts'
import { plantedId, plantMessage } from './planted-messages.ts'

const MESSAGES = '/admin/courier/messages'
const ADA = 'reject-550-ada@example.org'
const [user, password] = ['login-name', 'a-secret-of-the-login']
const IN_CLEAR = 'smtp://127.0.0.1:PORT/?disable_starttls=true'
const TOPICS = topics('')

describe('the tries of a message', () => {
  let console: TestConsole
  before(async () => {
    console = await openConsole()
  })
  after(() => console[Symbol.asyncDispose]())

  function newRecord(): MessageRecord {
    const id = newId()
    const template_data = { to: ADA, login_code: '731904' }
    const sealed = console.sealer.seal(DEFAULT_PROJECT_ID, id, { recipient: ADA, template_data })
    return recordOf({ id, sealed, identity_id: plantedId(1), locale: 'de-DE' })
  }

  async function apply(topic: string, record: Parameters<typeof received>[1]): Promise<void> {
    const next = await loadOffset(console.database, topic, 0, 0)
    const queue = { topic, partition: 0, next, last: next - 1, waiting: [], active: true }
    const came = received(next, record)
    const event = decodeRecord(topic, came, TOPICS)
    await applyBatch(console.database, [{ queue, record: came, event, problem: '', receivedAtMs: 0 }])
  }

  async function conclude(record: MessageRecord, dispatch: number, attempt: AttemptResult, decision: Decision) {
    const build = openBuildEvent({
      sealer: console.sealer,
      worker: 'courier-7',
      maxAttemptsOf: () => 6,
      providerOf: () => '127.0.0.1',
    })
    const event = build({
      delivery: claimedDelivery({ dispatch, record }),
      result: { attempt, failure: undefined, subject: 'Code 731904', domain: 'example.org', renderMs: 1 },
      failure: attempt.failure,
      decision,
      charged: 1,
      unknowns: 0,
      traceparent: undefined,
    })
    await apply(TOPICS.status, encodeStatus(event))
  }

  const get = async (path: string) => (await console.request('GET', `${MESSAGES}${path}`)).body
  const mailOf = ({ id }: MessageRecord, recipient = ADA) =>
    outgoingMail(recipient, { messageId: id, text: '731904\n' })

  it('tell peer, phases, reply and conversation, the last two only beside the message itself', async () => {
    const record = newRecord()
    await apply(TOPICS.messages, { key: 'k', value: encodeMessage(record) })
    await using server = await openFixture({}, {}, IN_CLEAR)
    const retryAt = '2030-01-02T03:04:05.678Z'
    const refused = await sendBy(server.channel, mailOf(record))
    await conclude(record, 1, refused, { kind: 'retry', atMs: Date.parse(retryAt), charged: true })
    const accepted = await sendBy(server.channel, mailOf(record, 'ada@example.org'))
    await conclude(record, 2, accepted, { kind: 'sent' })

    const message = await get(`/${record.id}`)
    const peer = { host: '127.0.0.1', port: server.sink.port, address: '127.0.0.1' }
    assert.deepEqual([message.lane, message.identity_id, message.locale], ['urgent', plantedId(1), 'de-DE'])
    const [second, first] = message.dispatches
    assert.deepEqual([first.dispatch, first.charged, first.state, first.status], [1, 1, 'deferred', 'failed'])
    assert.deepEqual([first.command, first.worker, first.next_attempt_at], ['RCPT', 'courier-7', retryAt])
    assert.deepEqual([first.peer, first.reused, first.reply_text], [peer, false, '5.1.1 No such user'])
    assert.ok(first.conversation.includes(`C: RCPT TO:<${ADA}>`))
    assert.ok(first.conversation.includes('S: 550 5.1.1 No such user'))
    assert.deepEqual(Object.keys(first.durations_ms).sort(), [
      ...['auth', 'connect', 'data', 'mail', 'queue', 'send', 'tcp', 'total'],
    ])

    assert.deepEqual([second.dispatch, second.state, second.status, second.error], [2, 'sent', 'success', null])
    assert.deepEqual([second.command, second.next_attempt_at], ['DOT', null])
    assert.deepEqual([second.peer, second.reused, second.conversation], [peer, true, null])
    assert.equal(second.reply_text, '2.0.0 Ok: queued as 1.2')
    assert.deepEqual(Object.keys(second.durations_ms).sort(), ['data', 'dot', 'mail', 'queue', 'send', 'total'])

    const listed = (await get('?dispatches=true')).find(({ id }: { id: string }) => id === record.id)
    const { reply_text: _text, conversation: _conversation, ...short } = second
    assert.deepEqual(listed.dispatches[0], short)
    assert.ok(!JSON.stringify(listed.dispatches).includes('reject-550'))
  })

  it('show a failed login without its secrets', async () => {
    const record = newRecord()
    await apply(TOPICS.messages, { key: 'k', value: encodeMessage(record) })
    const auth = { user, password: 'another', mechanisms: ['PLAIN'] }
    const uri = `smtp://${user}:${password}@127.0.0.1:PORT/?disable_starttls=true`
    await using server = await openFixture({ auth }, {}, uri)
    const attempt = await sendBy(server.channel, mailOf(record))
    await conclude(record, 1, attempt, { kind: 'retry', atMs: Date.now() + 5_000, charged: false })

    const message = await get(`/${record.id}`)
    const [dispatch] = message.dispatches
    assert.deepEqual([dispatch.command, dispatch.class], ['AUTH', 'auth'])
    assert.ok(dispatch.conversation.includes('C: AUTH PLAIN ***'))
    const payload = Buffer.from(`\0${user}\0${password}`).toString('base64')
    for (const secret of [password, payload, '731904']) assert.ok(!JSON.stringify(message).includes(secret), secret)
  })

  it('show of what an HTTP provider answers no code that it repeats', async () => {
    const record = newRecord()
    await apply(TOPICS.messages, { key: 'k', value: encodeMessage(record) })
    const text = '{"sid":"SM0","body":"Your code is 731904","to":"+4930901820"}'
    const reply = { code: 201, command: 'HTTP' as const, text }
    const rest = { reused: false, timings: { sendMs: 5 }, startedAt: Date.now() }
    await conclude(record, 1, { outcome: 'accepted', reply, ...rest }, { kind: 'sent' })
    const [dispatch] = (await get(`/${record.id}`)).dispatches
    assert.equal(dispatch.reply_code, 201)
    assert.match(dispatch.reply_text, /"body":"Your code is 7•/)
    assert.ok(!dispatch.reply_text.includes('731904'))
  })

  it('keep the open half open and the words sealed in the read model', async () => {
    const { rows } = await console.database.query<{ row: string }>({
      text: `select to_jsonb(d)::text as row from console.dispatch d`,
    })
    const text = rows.map(({ row }) => row).join('\n')
    assert.ok(text.includes('courier-7'))
    for (const secret of [ADA, 'No such user', 'AUTH PLAIN', '731904']) assert.ok(!text.includes(secret), secret)
  })

  it('show what is known where they are older than these facts, or sealed by a secret that is gone', async () => {
    const createdAt = '2026-01-01T00:00:00Z'
    const old = { id: plantedId(7), recipient: ADA, state: 'deferred', createdAt, dispatches: ['deferred'] }
    await plantMessage(console, old)
    const unknown = {
      ...{ durations_ms: {}, command: null, worker: null, next_attempt_at: null },
      ...{ peer: null, reused: null, reply_text: null, conversation: null },
    }
    const shown = async () => {
      const [dispatch] = (await get(`/${old.id}`)).dispatches
      assert.deepEqual([dispatch.class, dispatch.reply_code], ['network', 451])
      return Object.fromEntries(Object.keys(unknown).map((key) => [key, dispatch[key]]))
    }
    assert.deepEqual(await shown(), unknown)

    const foreign = openSealer(['a secret that was taken out again'])
    await console.database.query({
      text: 'update console.dispatch set sealed = $2 where message_id = $1',
      values: [old.id, foreign.seal(DEFAULT_PROJECT_ID, old.id, { reply_text: 'lost' })],
    })
    assert.deepEqual(await shown(), unknown)
  })
})
