import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openIdentity, type TestIdentity } from './open-identity.ts'

describe('startFlow', () => {
  let service: TestIdentity
  before(async () => {
    service = await openIdentity()
    await service.registered('known@one.example')
  })
  after(() => service[Symbol.asyncDispose]())

  const register = (email: string) => service.request('POST', '/self-service/registration', { traits: { email } })
  const logIn = (identifier: string) => service.request('POST', '/self-service/login', { identifier })

  it('executes the same statements for known and unknown addresses of a registration', async () => {
    const known = await service.statementsOf(() => register('known@one.example'))
    const unknown = await service.statementsOf(() => register('unknown@one.example'))
    assert.ok(known.length >= 3, 'flow, ids, mail')
    assert.deepEqual(known, unknown)
  })

  it('executes the same statements for known and unknown addresses of a login, up to how the savepoint ends', async () => {
    const known = await service.statementsOf(() => logIn('known@one.example'))
    const unknown = await service.statementsOf(() => logIn('unknown@two.example'))
    assert.ok(known.includes('release savepoint work') && unknown.includes('rollback to savepoint work'))
    const ends = /^(release|rollback to) savepoint work$/
    assert.deepEqual(
      known.map((text) => text.replace(ends, 'end')),
      unknown.map((text) => text.replace(ends, 'end')),
    )
  })

  it('answers known and unknown addresses alike', async () => {
    for (const [start, status] of [
      [register, 201],
      [logIn, 202],
    ] as const) {
      const answers = [await start('known@one.example'), await start(`unknown${status}@three.example`)]
      for (const answer of answers) {
        assert.equal(answer.status, status)
        assert.deepEqual(Object.keys(answer.body), ['flow_id'])
      }
      const names = answers.map(({ headers }) => [...headers.keys()])
      assert.deepEqual(names[0], names[1])
      assert.equal(answers[0]!.headers.get('content-length'), answers[1]!.headers.get('content-length'))
    }
  })

  it('mails a registration code to a new address, with the keys of Ory', async () => {
    const { mail, code } = await service.start('registration', 'new@mail.example', 'New')
    assert.match(code, /^[0-9]{6}$/)
    assert.equal(mail.record.template_type, 'registration_code_valid')
    assert.equal(mail.record.identity_id, undefined)
    assert.deepEqual(mail.data, {
      to: 'new@mail.example',
      traits: { email: 'new@mail.example', name: 'New' },
      registration_code: code,
      request_url: `${service.publicUrl}/self-service/registration`,
      transient_payload: {},
      expires_in_minutes: 60,
    })
  })

  it('mails a login code to the owner, with the identity, living as long as the code', async () => {
    const { mail, code, flowId } = await service.start('registration', 'KNOWN@one.example')
    const { rows } = await service.database.query<{ expires_at: Date; identity_id: string }>({
      text: 'select expires_at, identity_id from identity.flow where id = $1',
      values: [flowId],
    })
    assert.equal(mail.record.template_type, 'login_code_valid')
    assert.equal(mail.record.identity_id, rows[0]?.identity_id)
    assert.equal(mail.recipient, 'known@one.example')
    assert.equal(mail.record.expires_at, rows[0]?.expires_at.toISOString())
    const { identity, ...rest } = mail.data as { identity: { traits: { email: string } } }
    assert.equal(identity.traits.email, 'known@one.example')
    assert.deepEqual(rest, {
      to: 'known@one.example',
      login_code: code,
      request_url: `${service.publicUrl}/self-service/registration`,
      transient_payload: {},
      expires_in_minutes: 60,
    })
  })

  it('mails nothing to an address that nobody owns, also after a registration that was not completed', async () => {
    await service.start('registration', 'pending@four.example')
    for (const address of ['pending@four.example', 'nobody@four.example']) {
      const before = (await service.mails()).length
      assert.equal((await logIn(address)).status, 202)
      assert.equal((await service.mails()).length, before)
    }
  })

  it('throttles the sixth mail of an address, known or not, and counts no other address', async () => {
    await service.registered('known@five.example')
    await service.database.query({ text: 'truncate identity.throttle' })
    for (const address of ['known@five.example', 'unknown@five.example']) {
      for (let i = 0; i < 5; i++) assert.equal((await logIn(address)).status, 202)
      for (const start of [logIn, register]) {
        const { status, headers, body } = await start(address.toUpperCase())
        assert.equal(status, 429)
        const seconds = Number(headers.get('retry-after'))
        assert.ok(seconds > 500 && seconds <= 600, `retry-after: ${seconds}`)
        assert.equal(body.error.code, 429)
      }
    }
    assert.equal((await register('another@five.example')).status, 201)
  })

  it('lets an address through again when its first mail left the window', async () => {
    for (let i = 0; i < 5; i++) await register('again@six.example')
    assert.equal((await register('again@six.example')).status, 429)
    await service.database.query({
      text: "update identity.throttle set mailed_at = array(select m - interval '599 s 900 ms' from unnest(mailed_at) m)",
    })
    const { headers, status } = await register('again@six.example')
    if (status === 429) assert.equal(headers.get('retry-after'), '1')
    await service.database.query({
      text: "update identity.throttle set mailed_at = array(select m - interval '1 s' from unnest(mailed_at) m)",
    })
    assert.equal((await register('again@six.example')).status, 201)
  })
})

describe('startFlow when its transaction fails', () => {
  let service: TestIdentity
  before(async () => {
    service = await openIdentity()
  })
  after(() => service[Symbol.asyncDispose]())

  async function counts(): Promise<unknown> {
    const { rows } = await service.database.query({
      text: `select (select count(*) from outbox.message) as mails, (select count(*) from identity.flow) as flows,
               (select count(*) from identity.throttle) as throttles`,
    })
    return rows[0]
  }

  it('stores and sends nothing when the commit fails, and exactly one mail when it succeeds', async () => {
    await service.database.query({
      text: `create function outbox.refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
        create constraint trigger refuse after insert on outbox.message deferrable initially deferred
        for each row execute function outbox.refuse()`,
    })
    const refused = await service.request('POST', '/self-service/registration', {
      traits: { email: 'a@commit.example' },
    })
    assert.equal(refused.status, 500)
    assert.deepEqual(await counts(), { mails: 0, flows: 0, throttles: 0 })
    await service.database.query({ text: 'drop trigger refuse on outbox.message' })
    await service.start('registration', 'a@commit.example')
    assert.deepEqual(await counts(), { mails: 1, flows: 1, throttles: 1 })
  })

  it('stores and sends nothing when its connection is killed after the mail was written', async () => {
    const before = await counts()
    await service.database.query({
      text: `create function outbox.die() returns trigger language plpgsql as $$
          begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$;
        create trigger die after insert on outbox.message for each statement execute function outbox.die()`,
    })
    const { status, body } = await service.request('POST', '/self-service/registration', {
      traits: { email: 'b@commit.example' },
    })
    assert.ok(status >= 500, `status ${status}`)
    assert.ok(!JSON.stringify(body).includes('b@commit.example'))
    await service.database.query({ text: 'drop trigger die on outbox.message' })
    assert.deepEqual(await counts(), before)
    assert.equal((await service.start('registration', 'b@commit.example')).mail.recipient, 'b@commit.example')
  })
})
