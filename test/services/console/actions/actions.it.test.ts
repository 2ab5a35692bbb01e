import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { makeKey, makeProject } from '../keys/make-keys.ts'
import { type GivenMessage, project } from '../messages.ts'
import { openConsole, type TestConsole } from '../open-console.ts'

const MESSAGES = '/admin/courier/messages'
const UNKNOWN = '019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f'
const CODE = { template_type: 'login_code_valid', lane: 'urgent', template_data: { login_code: '123456' } }

let console: TestConsole
before(async () => {
  console = await openConsole()
})
after(() => console[Symbol.asyncDispose]())

const act = (id: string, action: string, headers?: Record<string, string>) =>
  console.request('POST', `${MESSAGES}/${id}/${action}`, undefined, headers)
const show = async (id: string) => (await console.request('GET', `${MESSAGES}/${id}`)).body
const stub = (recipient: string) => ({ recipient, template_type: 'stub', template_data: { subject: 's', body: 'b' } })
const accept = async (recipient: string): Promise<string> =>
  (await console.request('POST', MESSAGES, stub(recipient))).body.id
const audit = async () => (await console.request('GET', '/admin/audit')).body
const ledgerStateOf = async (id: string) =>
  (
    await console.database.query<{ state: number }>({
      text: 'select state from courier.ledger where message_id = $1',
      values: [id],
    })
  ).rows[0]?.state
const count = async (table: string) =>
  (await console.database.query<{ count: number }>({ text: `select count(*) from ${table}` })).rows[0]!.count

/** What a courier left in the ledger. */
async function lodge(id: string, state: 2 | 3): Promise<void> {
  await console.database.query({
    text: `insert into courier.ledger (message_id, project_id, channel, lane, state, dispatch, handed_over, due_at, expires_at, payload)
           values ($1, $2, 'email', 1, $3, 1, true, now() + interval '1 hour', now() + interval '1 day', 'p')`,
    values: [id, DEFAULT_PROJECT_ID, state],
  })
}

describe('POST /admin/courier/messages/{id}/cancel', () => {
  it('cancels what is only accepted, and writes down who did it', async () => {
    const id = await accept('cancel@example.org')
    assert.deepEqual([(await act(id, 'cancel')).status, await ledgerStateOf(id)], [202, 4])
    const [entry] = await audit()
    assert.deepEqual([entry.actor, entry.action, entry.message_id], ['local', 'message.cancel', id])
    const again = await act(id, 'cancel')
    assert.equal(again.status, 409)
    assert.deepEqual(again.body.error.details, { state: 'cancelled' })
    assert.match(again.body.error.message, /is cancelled: nothing is left to cancel/)
    assert.equal((await audit())[0].id, entry.id)
  })

  it('answers 404 for an unknown message, 400 for what is no id, 409 for what the couriers have ended', async () => {
    for (const action of ['cancel', 'retry', 'resend']) {
      assert.equal((await act(UNKNOWN, action)).status, 404)
      assert.equal((await act('7', action)).status, 400)
    }
    const id = await project(console, { state: 'sent' })
    const { status, body } = await act(id, 'cancel')
    assert.deepEqual([status, body.error.details], [409, { state: 'sent' }])
    assert.equal(await ledgerStateOf(id), undefined)
  })

  it('names the key that asked, and needs one that may', async () => {
    const operator = await makeKey(console, { name: 'night shift', role: 'operator' })
    const id = await accept('key@example.org')
    assert.equal((await act(id, 'cancel', operator.headers)).status, 202)
    assert.equal((await audit())[0].actor, 'night shift')
    const viewer = await makeKey(console, { role: 'viewer' })
    assert.equal((await act(id, 'cancel', viewer.headers)).status, 403)
  })
})

describe('POST /admin/courier/messages/{id}/retry', () => {
  it('makes a deferred one and a held one due, and has no effect on one that waits for its first attempt', async () => {
    for (const [state, code] of [
      ['deferred', 2],
      ['held', 3],
    ] as const) {
      const id = await project(console, { state })
      await lodge(id, code)
      assert.equal((await act(id, 'retry')).status, 202)
      const { rows } = await console.database.query({
        text: 'select due_at <= now() as due, state from courier.ledger where message_id = $1',
        values: [id],
      })
      assert.deepEqual(rows, [{ due: true, state: 2 }])
    }
    const queued = await accept('queued@example.org')
    assert.deepEqual((await act(queued, 'retry')).body, { id: queued })
    assert.equal(await ledgerStateOf(queued), undefined)
  })

  for (const state of ['sent', 'abandoned', 'expired', 'superseded'] as const) {
    it(`refuses one that is ${state}, and points to resend`, async () => {
      const { status, body } = await act(await project(console, { state }), 'retry')
      assert.deepEqual([status, body.error.details.state], [409, state])
      assert.match(body.error.message, /resend makes a new one/)
    })
  }
})

describe('an action that is sent as JSON without a body', () => {
  it('is done, as without the type', async () => {
    const json = { 'content-type': 'application/json' }
    const waiting = await project(console, { state: 'deferred' })
    await lodge(waiting, 2)
    assert.equal((await act(waiting, 'retry', json)).status, 202)
    assert.equal((await act(waiting, 'cancel', json)).status, 202)
    assert.equal((await act(await project(console, { state: 'abandoned' }), 'resend', json)).status, 202)
  })

  it('is nothing where an empty object would replace something', async () => {
    const json = { 'content-type': 'application/json' }
    for (const method of ['PUT', 'PATCH'])
      assert.equal((await console.request(method, '/projects/default/identity-config', undefined, json)).status, 400)
    assert.equal((await console.request('POST', `${MESSAGES}/cancel`, undefined, json)).status, 400)
  })
})

describe('POST /admin/courier/messages/{id}/resend', () => {
  it('makes a new message of the same content with a fresh lifetime, in a trace of its own', async () => {
    const given = {
      recipient: 'again@example.org',
      state: 'abandoned',
      expires_at: new Date(Date.now() - 1_000),
      locale: 'de',
    }
    const id = await project(console, given)
    const { status, body } = await act(id, 'resend')
    assert.equal(status, 202)
    const [old, fresh] = [await show(id), await show(body.id)]
    assert.notEqual(fresh.id, id)
    assert.deepEqual(
      [fresh.recipient, fresh.state, fresh.template_type, fresh.resent_from],
      ['again@example.org', 'queued', 'stub', id],
    )
    assert.ok(Math.abs(Date.parse(fresh.expires_at) - Date.now() - 86_400_000) < 60_000)
    const { rows } = await console.database.query<{ traceparent: string; value: string }>({
      text: 'select traceparent, value from outbox.message where id = $1',
      values: [body.id],
    })
    assert.equal(rows[0]?.traceparent.slice(3, 35), fresh.trace_id)
    assert.notEqual(fresh.trace_id, old.trace_id)
    const { sealed, locale } = JSON.parse(rows[0]!.value)
    assert.deepEqual(console.sealer.open(DEFAULT_PROJECT_ID, sealed), {
      recipient: 'again@example.org',
      template_data: { subject: 's', body: 'b' },
    })
    assert.equal(locale, 'de')
    const [entry] = await audit()
    assert.deepEqual([entry.action, entry.message_id, entry.details.new_id], ['message.resend', id, body.id])
  })

  it('answers the same id to the same Idempotency-Key, also for a code, and 422 where the message differs', async () => {
    const id = await project(console, { ...CODE, recipient: 'idem@example.org' })
    const key = { 'idempotency-key': 'again-1' }
    const first = await act(id, 'resend', key)
    assert.equal(first.status, 202)
    const before = await count('outbox.message')
    assert.deepEqual((await act(id, 'resend', key)).body, first.body)
    assert.equal(await count('outbox.message'), before)
    const other = await project(console, { recipient: 'idem-2@example.org' })
    assert.equal((await act(other, 'resend', key)).status, 422)
  })

  it('lets a code live no longer than it was told to, and refuses it afterwards', async () => {
    const expires_at = new Date(Date.now() + 120_000)
    const { body } = await act(await project(console, { ...CODE, recipient: 'code@example.org', expires_at }), 'resend')
    assert.equal(Date.parse((await show(body.id)).expires_at), expires_at.getTime())
    const dead = { ...CODE, recipient: 'dead@example.org', state: 'expired', expires_at: new Date(Date.now() - 1_000) }
    const refused = await act(await project(console, dead), 'resend')
    assert.equal(refused.status, 409)
    assert.equal(refused.body.error.message, 'The code has expired: ask for a new one.')
    assert.deepEqual(refused.body.error.details, {
      state: 'expired',
      reason: 'the code has expired; ask for a new one',
    })
  })

  it('never sends a code past a newer one, and leaves nothing behind when it refuses', async () => {
    const recipient = 'newer@example.org'
    const old = await project(console, { ...CODE, recipient })
    const newer = await project(console, { ...CODE, recipient })
    const before = await Promise.all(['outbox.message', 'console.accepted', 'console.audit'].map(count))
    const { status, body } = await act(old, 'resend')
    assert.deepEqual([status, body.error.details], [409, { state: 'sent', newer_id: newer }])
    assert.deepEqual(await Promise.all(['outbox.message', 'console.accepted', 'console.audit'].map(count)), before)
    assert.equal((await act(newer, 'resend')).status, 202)
  })

  for (const [given, problem] of [
    [{ state: 'deferred' }, /retry sends it sooner/],
    [{ ...CODE, state: 'superseded', recipient: 'over@example.org' }, /newer message of this kind/],
    [{ state: 'sent', sealed: null }, /only its status has come/],
  ] as [GivenMessage, RegExp][]) {
    it(`refuses where ${problem.source}`, async () => {
      const { status, body } = await act(await project(console, given), 'resend')
      assert.deepEqual([status, body.error.details.state], [409, given.state])
      assert.match(body.error.message, problem)
    })
  }
})

describe('POST /admin/courier/messages/retry|cancel', () => {
  const bulk = (op: string, body: unknown) => console.request('POST', `${MESSAGES}/${op}`, body)

  it('counts first, then does it to what is still open, and tells what it passed over', async () => {
    const domain = 'bulk.example'
    const ids: string[] = []
    for (let i = 0; i < 3; i++) ids.push(await project(console, { state: 'deferred', recipient_domain: domain }))
    await project(console, { state: 'sent', recipient_domain: domain })
    // The couriers are further than the read model.
    const ended = await project(console, { state: 'deferred', recipient_domain: domain })
    await lodge(ended, 2)
    await console.database.query({ text: 'update courier.ledger set state = 4 where message_id = $1', values: [ended] })
    const dry = await bulk('cancel', { domain, dry_run: true })
    assert.deepEqual([dry.status, dry.body], [200, { count: 4, more: false }])
    assert.equal(await ledgerStateOf(ids[0]!), undefined)
    const done = await bulk('cancel', { domain })
    assert.deepEqual([done.status, done.body], [202, { count: 3, skipped: 1, more: false }])
    for (const id of ids) assert.equal(await ledgerStateOf(id), 4)
    const [entry] = await audit()
    assert.deepEqual([entry.action, entry.details], ['messages.cancel', { filter: { domain }, count: 3, skipped: 1 }])
  })

  for (const name of ['project', 'channel', 'template_type', 'recipient', 'message_id']) {
    it(`retries by ${name}, which also messages have that cannot be retried`, async () => {
      const slug = `retry-${name.replaceAll('_', '-')}`
      const project_id = await makeProject(console, slug)
      const given = { project_id, channel: 'sms', template_type: slug, recipient: `${slug}@example.org` }
      const id = await project(console, { ...given, state: 'deferred' })
      await lodge(id, 2)
      await accept(given.recipient)
      const values: Record<string, string> = { ...given, project: slug, message_id: id }
      const filter = { project: slug, [name]: values[name] }
      assert.deepEqual((await bulk('retry', { ...filter, dry_run: true })).body, { count: 1, more: false })
      assert.deepEqual((await bulk('retry', filter)).body, { count: 1, skipped: 0, more: false })
    })
  }

  it('works through more than one batch, each message once', async () => {
    const template_type = 'authenticator_key_added'
    await console.database.query({
      text: `insert into console.message (id, project_id, channel, template_type, lane, facts_from, created_at, expires_at, state, updated_at)
             select id, $1, 'email', $2, 'notice', 'record', '2026-03-01', now() + interval '1 day', 'deferred', now() from outbox.new_ids(1100) id`,
      values: [DEFAULT_PROJECT_ID, template_type],
    })
    const { body } = await bulk('cancel', { template_type, created_before: '2026-04-01T00:00:00Z' })
    assert.deepEqual(body, { count: 1100, skipped: 0, more: false })
    assert.equal(
      await count(
        `courier.event_outbox e join console.message m on m.id = e.message_id where m.template_type = '${template_type}'`,
      ),
      1100,
    )
  })

  it('takes at most 10,000 at a time and says that there is more', async () => {
    await console.database.query({
      text: `insert into console.message (id, project_id, channel, template_type, lane, facts_from, created_at, expires_at, state, updated_at)
             select id, $1, 'sms', 'stub', 'notice', 'record', now(), now() + interval '1 day', 'held', now() from outbox.new_ids(10001) id`,
      values: [DEFAULT_PROJECT_ID],
    })
    const filter = { channel: 'sms', state: 'held' }
    assert.deepEqual((await bulk('retry', { ...filter, dry_run: true })).body, { count: 10_000, more: true })
    assert.deepEqual((await bulk('retry', filter)).body, { count: 0, skipped: 10_000, more: true })
  })

  it('keeps addresses out of the audit log', async () => {
    await bulk('cancel', { recipient: 'planted@example.org' })
    const id = await project(console, { recipient: 'planted@example.org', state: 'deferred' })
    await bulk('cancel', { q: 'planted@example.org' })
    assert.equal(await ledgerStateOf(id), 4)
    assert.doesNotMatch(JSON.stringify(await audit()), /planted/)
  })

  it('keeps to the project of a key that is bound to one', async () => {
    await makeProject(console, 'bound')
    const key = await makeKey(console, { role: 'operator', project: 'bound' })
    const id = await project(console, { state: 'deferred', recipient_domain: 'bound.example' })
    const { body } = await console.request('POST', `${MESSAGES}/cancel`, { domain: 'bound.example' }, key.headers)
    assert.deepEqual([body.count, await ledgerStateOf(id)], [0, undefined])
  })

  for (const [body, problem] of [
    [{}, /^body: expected at least one filter/],
    [{ dry_run: true }, /^body: expected at least one filter/],
    [[], /^body: expected an object/],
    [{ state: 'deferred', dry_run: 'yes' }, /^dry_run: expected true or false/],
    [{ sate: 'deferred' }, /^sate: unknown field, expected status, /],
    [{ state: ['deferred'] }, /^state: expected a text/],
    [{ reply_code: 7 }, /^reply_code: expected three digits/],
  ] as const) {
    it(`refuses ${JSON.stringify(body)}`, async () => {
      const answer = await bulk('cancel', body)
      assert.equal(answer.status, 400)
      assert.match(answer.body.error.message, problem)
    })
  }
})

describe('GET /admin/audit', () => {
  it('pages from the newest on', async () => {
    const all = await audit()
    const { body: first } = await console.request('GET', '/admin/audit?limit=2')
    const { body: next } = await console.request('GET', `/admin/audit?limit=2&before=${first[1].id}`)
    assert.deepEqual([...first, ...next], all.slice(0, 4))
    for (const query of ['limit=0', 'limit=x', 'before=-1'])
      assert.equal((await console.request('GET', `/admin/audit?${query}`)).status, 400)
  })
})
