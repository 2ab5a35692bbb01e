import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openIdentity, type TestIdentity } from './open-identity.ts'

describe('changeTraits', () => {
  let service: TestIdentity
  before(async () => {
    service = await openIdentity()
    // Throttling has a test of its own.
    service.settings.mailLimit = { mails: 1_000, windowMs: 600_000 }
  })
  after(() => service[Symbol.asyncDispose]())

  const patch = (id: string, token: string | undefined, body: unknown, headers: Record<string, string> = {}) =>
    service.request('PATCH', `/identities/${id}`, body, { ...(token && { 'x-session-token': token }), ...headers })

  async function patched(user: { identity: { id: string }; token: string }, traits: unknown) {
    const before = (await service.mails()).length
    const answer = await patch(user.identity.id, user.token, { traits })
    return { ...answer, mails: (await service.mails()).slice(before) }
  }

  it('tells the old address, and mails the new one a code that verifies it', async () => {
    const user = await service.loggedIn('old@one.example')
    const { status, body, mails } = await patched(user, { email: 'New@one.example' })
    assert.equal(status, 200)
    assert.deepEqual(body.traits, { email: 'New@one.example' })
    const [address] = body.verifiable_addresses
    assert.deepEqual([address.value, address.verified, address.status], ['New@one.example', false, 'pending'])
    assert.equal('verified_at' in address, false)

    assert.deepEqual(
      mails.map(({ record, recipient }) => [record.template_type, recipient, record.identity_id]),
      [
        ['verifiable_address_changed', 'old@one.example', user.identity.id],
        ['verification_code_valid', 'New@one.example', user.identity.id],
      ],
    )
    const { identity, changed_at, ...rest } = mails[0]!.data as { identity: { id: string }; changed_at: string }
    assert.equal(identity.id, user.identity.id)
    assert.match(changed_at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.deepEqual(rest, { to: 'old@one.example', transient_payload: null })

    const [next] = body.continue_with
    assert.equal(next.action, 'show_verification_ui')
    const done = await service.complete('verification', next.flow.id, String(mails[1]!.data.verification_code))
    assert.equal(done.body.verifiable_address.verified, true)
    const who = await service.request('GET', '/sessions/whoami', undefined, { 'x-session-token': user.token })
    assert.equal(who.body.identity.verifiable_addresses[0].verified, true)
    assert.equal((await service.start('login', 'new@one.example')).mail.recipient, 'New@one.example')
  })

  it('voids every code and link on its way to the old address', async () => {
    const user = await service.loggedIn('leaky@two.example')
    const flows = []
    for (const kind of ['login', 'recovery', 'verification', 'registration'] as const)
      flows.push([kind, await service.start(kind, 'leaky@two.example')] as const)
    await patched(user, { email: 'tight@two.example' })
    for (const [kind, { flowId, code }] of flows)
      assert.equal((await service.complete(kind, flowId, code)).status, 410, kind)
    await service.registered('leaky@two.example')
  })

  it('opens no account for an address that its claimant never proved, and leaves the address to whoever proves it', async () => {
    const squatter = await service.loggedIn('squatter@four.example')
    await patched(squatter, { email: 'victim@four.example' })
    for (const kind of ['login', 'recovery'] as const) {
      const before = (await service.mails()).length
      assert.equal(
        (await service.request('POST', `/self-service/${kind}`, { email: 'victim@four.example' })).status,
        202,
      )
      assert.equal((await service.mails()).length, before, kind)
    }
    const { mail, code, flowId } = await service.start('registration', 'victim@four.example')
    assert.equal(mail.record.template_type, 'registration_code_valid')
    const { body } = await service.complete('registration', flowId, code)
    assert.notEqual(body.id, squatter.identity.id)
    assert.deepEqual(body.verifiable_addresses[0].verified, true)
    const who = await service.request('GET', '/sessions/whoami', undefined, {
      'x-session-token': squatter.token,
    })
    assert.deepEqual(who.body.identity.verifiable_addresses, [])
    assert.deepEqual(who.body.identity.traits, {})
  })

  it('changes other traits without a mail', async () => {
    const user = await service.loggedIn('name@three.example')
    const { body, mails } = await patched(user, { name: 'Ada' })
    assert.deepEqual(body.traits, { email: 'name@three.example', name: 'Ada' })
    assert.equal(body.verifiable_addresses[0].verified, true)
    assert.deepEqual(mails, [])
    const removed = await patched(user, { name: null, email: 'name@three.example' })
    assert.deepEqual([removed.body.traits, removed.mails], [{ email: 'name@three.example' }, []])
  })

  it('adds, replaces and takes away a phone number by SMS', async () => {
    const user = await service.loggedIn('phone@three.example')
    const added = await patched(user, { phone: '+4930901820' })
    assert.deepEqual(
      added.mails.map(({ record, recipient }) => [record.template_type, record.channel, recipient]),
      [['verification_code_valid', 'sms', '+4930901820']],
    )
    assert.deepEqual(
      added.body.verifiable_addresses.map((each: { via: string; verified: boolean }) => [each.via, each.verified]),
      [
        ['email', true],
        ['sms', false],
      ],
    )
    const replaced = await patched(user, { phone: '+4930901821' })
    assert.deepEqual(
      replaced.mails.map(({ record, recipient }) => [record.template_type, record.channel, recipient]),
      [
        ['verifiable_address_changed', 'sms', '+4930901820'],
        ['verification_code_valid', 'sms', '+4930901821'],
      ],
    )
    const removed = await patched(user, { phone: null })
    assert.equal(removed.body.verifiable_addresses.length, 1)
    assert.equal((await patched(user, { email: null })).status, 400)
  })

  it('answers 409 for an address of somebody else, and changes and sends nothing', async () => {
    await service.registered('taken@four.example')
    const user = await service.loggedIn('taker@four.example')
    const { status, body, mails } = await patched(user, { email: 'TAKEN@four.example' })
    assert.equal(status, 409)
    assert.ok(!JSON.stringify(body).toLowerCase().includes('taken@four'))
    assert.deepEqual(mails, [])
    assert.equal((await service.start('login', 'taker@four.example')).mail.recipient, 'taker@four.example')
  })

  it('gives an address to one of two that want it at once', async () => {
    const users = [await service.loggedIn('a@race.example'), await service.loggedIn('b@race.example')]
    const answers = await Promise.all(
      users.map(({ identity, token }) => patch(identity.id, token, { traits: { email: 'c@race.example' } })),
    )
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409])
  })

  it('lets two changes of one identity follow each other', async () => {
    const { identity, token } = await service.loggedIn('one@twice.example')
    const answers = await Promise.all(
      ['x@twice.example', 'y@twice.example'].map((email) => patch(identity.id, token, { traits: { email } })),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    )
    const { rows } = await service.database.query<{ value: string; email: string }>({
      text: `select a.value, i.traits->>'email' as email from identity.identity i join identity.address a on a.identity_id = i.id
             where i.id = $1`,
      values: [identity.id],
    })
    assert.equal(rows.length, 1)
    assert.equal(rows[0]?.value, rows[0]?.email)
  })

  it('needs a session of that very identity', async () => {
    const user = await service.loggedIn('mine@five.example')
    const other = await service.registered('other@five.example')
    const body = { traits: { name: 'x' } }
    assert.equal((await patch(user.identity.id, undefined, body)).status, 401)
    assert.equal((await patch(user.identity.id, 'prst_unknown', body)).status, 401)
    assert.equal((await patch(other.id, user.token, body)).status, 404)
    const bearer = await patch(user.identity.id, undefined, body, { authorization: `Bearer ${user.token}` })
    assert.equal(bearer.status, 200)
    assert.equal((await patch(user.identity.id, user.token, {})).status, 400)
    assert.equal((await patch(user.identity.id, user.token, { traits: { role: 'admin' } })).status, 400)
  })

  it('throttles by the old and by the new address, counted with every other flow', async () => {
    const user = await service.loggedIn('busy@six.example')
    await service.database.query({ text: 'delete from identity.throttle' })
    service.settings.mailLimit = { mails: 2, windowMs: 600_000 }
    for (let i = 0; i < 2; i++) await service.request('POST', '/self-service/recovery', { email: 'quiet@six.example' })
    const toBusy = await patched(user, { email: 'quiet@six.example' })
    assert.equal(toBusy.status, 429)
    assert.ok(Number(toBusy.headers.get('retry-after')) > 500)
    assert.deepEqual(toBusy.mails, [])
    assert.equal((await patched(user, { email: 'fresh@six.example' })).status, 200)
    assert.equal((await patched(user, { email: 'busy@six.example' })).status, 200)
    // By now the old address has had a notice and a code.
    assert.equal((await patched(user, { email: 'fresher@six.example' })).status, 429)
    service.settings.mailLimit = { mails: 1_000, windowMs: 600_000 }
  })

  it('changes nothing when the mails cannot be stored', async () => {
    const user = await service.loggedIn('whole@seven.example')
    await service.database.query({
      text: `create function outbox.refuse() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;
        create constraint trigger refuse after insert on outbox.message deferrable initially deferred
        for each row execute function outbox.refuse()`,
    })
    assert.equal((await patched(user, { email: 'half@seven.example' })).status, 500)
    await service.database.query({ text: 'drop trigger refuse on outbox.message' })
    const who = await service.request('GET', '/sessions/whoami', undefined, { 'x-session-token': user.token })
    assert.deepEqual(who.body.identity.traits, { email: 'whole@seven.example' })
    assert.equal(who.body.identity.verifiable_addresses[0].verified, true)
  })
})
