/** From a registration to a delivered, traced, queryable mail. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import { readTopic } from '../support/read-topic.ts'
import { waitFor } from '../support/servers.ts'
import { openSystem, type System } from '../support/system.ts'

const NAME = 'Ada Planted-Lovelace'
const ADDRESS = 'ada.planted@example.org'

describe('a registration', () => {
  let system: System
  let code: string
  let flowId: string
  let messageId: string

  before(async () => {
    system = await openSystem()
  })
  after(() => system?.[Symbol.asyncDispose]())

  it('sends a mail with a six-digit code', async () => {
    const started = await system.request('POST', `${system.identity}/self-service/registration`, {
      traits: { email: ADDRESS, name: NAME },
    })
    assert.equal(started.status, 201)
    flowId = started.body.flow_id
    const mail = await system.mailTo(ADDRESS)
    code = /\b[0-9]{6}\b/.exec(mail.text)?.[0] ?? ''
    assert.match(code, /^[0-9]{6}$/)
    assert.ok(mail.subject.includes(code) && mail.html.includes(code))
    messageId = mail.headers['message-id']?.[0]?.slice(1).split('@')[0] ?? ''
  })

  it('is completed by the code, once', async () => {
    const url = `${system.identity}/self-service/registration/${flowId}`
    const wrong = await system.request('POST', url, { code: code === '000000' ? '000001' : '000000' })
    assert.equal(wrong.status, 400)
    const completed = await system.request('POST', url, { code })
    assert.equal(completed.status, 200)
    assert.deepEqual(completed.body.traits, { email: ADDRESS, name: NAME })
    assert.equal((await system.request('POST', url, { code })).status, 410)
  })

  it('is in the admin API as sent, with one successful dispatch', async () => {
    const message = await system.messageIn(messageId, 'sent')
    assert.equal(message.status, 'sent')
    assert.equal(message.recipient, ADDRESS)
    assert.equal(message.template_type, 'registration_code_valid')
    assert.deepEqual(
      message.dispatches.map((dispatch: { status: string }) => dispatch.status),
      ['success'],
    )
    assert.doesNotMatch(JSON.stringify(message), new RegExp(code))
  })

  it('carries one trace id through the API, the message record and the status event', async () => {
    const { trace_id: traceId } = await system.message(messageId)
    assert.match(traceId, /^[0-9a-f]{32}$/)
    for (const topic of ['courier.messages.v1', 'courier.delivery-status.v1']) {
      const records = await readTopic(system.brokers, system.topicPrefix + topic)
      assert.equal(records.length, 1, topic)
      for (const header of ['traceparent', 'ce_traceparent']) {
        assert.equal(records[0]?.headers[header]?.toString().split('-')[1], traceId, `${topic} ${header}`)
      }
    }
  })

  it('logs a user in by a code of its own', async () => {
    const started = await system.request('POST', `${system.identity}/self-service/login`, { identifier: ADDRESS })
    assert.equal(started.status, 202)
    const [mail] = await waitFor(
      async () => ((await system.mailsTo(ADDRESS)).length === 2 ? system.mailsTo(ADDRESS) : undefined),
      {
        timeoutMs: 30_000,
        message: 'the login mail did not come',
      },
    )
    const loginCode = /\b[0-9]{6}\b/.exec(mail!.text)?.[0]
    const done = await system.request('POST', `${system.identity}/self-service/login/${started.body.flow_id}`, {
      code: loginCode,
    })
    assert.equal(done.status, 200)
    const who = await system.request('GET', `${system.identity}/sessions/whoami`, undefined, {
      'x-session-token': done.body.session_token,
    })
    assert.equal(who.status, 200)
    assert.equal(who.body.identity.traits.email, ADDRESS)
  })

  it('leaves the code in clear nowhere, and the address only where identities and mails are kept', async () => {
    const places = [...(await databaseTexts(system)), ...(await topicTexts(system)), ...logTexts(system)]
    assert.ok(places.length > 20)
    const withCode = places.filter(({ text }) => text.includes(code)).map(({ place }) => place)
    assert.deepEqual(withCode, [])
    const withAddress = new Set(places.filter(({ text }) => text.includes('ada.planted')).map(({ place }) => place))
    assert.deepEqual(
      [...withAddress].filter((place) => !place.startsWith('table identity.')),
      [],
    )
  })
})

interface Place {
  readonly place: string
  readonly text: string
}

/** Every row of every table of ours, as text. */
async function databaseTexts(system: System): Promise<Place[]> {
  await using database = openDatabase({ url: system.databaseUrl, applicationName: 'scan' })
  const { rows: tables } = await database.query<{ name: string }>({
    text: `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
  })
  const places: Place[] = []
  for (const { name } of tables) {
    const { rows } = await database.query<{ text: string | null }>({
      text: `select string_agg(t::text, E'\\n') as text from ${name} t`,
    })
    places.push({ place: `table ${name}`, text: rows[0]?.text ?? '' })
  }
  return places
}

async function topicTexts(system: System): Promise<Place[]> {
  const places: Place[] = []
  for (const topic of [
    'courier.messages.v1',
    'courier.notices.v1',
    'courier.delivery-status.v1',
    'courier.dead-letter.v1',
  ]) {
    for (const { value, key, headers } of await readTopic(system.brokers, system.topicPrefix + topic)) {
      places.push({ place: `topic ${topic}`, text: `${key} ${value} ${Object.values(headers).join(' ')}` })
    }
  }
  return places
}

function logTexts(system: System): Place[] {
  const logs = join(system.home, 'logs')
  return readdirSync(logs).map((file) => ({ place: `log ${file}`, text: readFileSync(join(logs, file), 'utf8') }))
}
