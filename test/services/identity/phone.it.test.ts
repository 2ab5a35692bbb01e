/** Flows by phone number: the same as by mail address, over SMS, with the data of Ory's text messages. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { renderMessage } from '#libs/templates'
import { openIdentity, type TestIdentity } from './open-identity.ts'

const PHONE = '+4930901820'

describe('flows by phone', () => {
  let service: TestIdentity
  before(async () => {
    service = await openIdentity()
  })
  after(() => service[Symbol.asyncDispose]())

  const common = (kind: string) => ({
    to: PHONE,
    request_url: `${service.publicUrl}/self-service/${kind}`,
    request_url_domain: 'identity.example',
    transient_payload: {},
    expires_in_minutes: 60,
  })

  it('registers by SMS who has no mail address', async () => {
    const { mail, code, flowId } = await service.startWith('registration', { traits: { phone: PHONE, name: 'Ada' } })
    assert.deepEqual([mail.record.channel, mail.recipient], ['sms', PHONE])
    assert.deepEqual(mail.data, {
      ...common('registration'),
      registration_code: code,
      identity: { phone: PHONE, name: 'Ada' },
    })
    const { status, body } = await service.complete('registration', flowId, code)
    assert.equal(status, 200)
    assert.deepEqual(body.traits, { phone: PHONE, name: 'Ada' })
    const [address, ...others] = body.verifiable_addresses
    assert.deepEqual([address.value, address.via, address.verified, others], [PHONE, 'sms', true, []])
    assert.deepEqual(
      body.recovery_addresses.map((each: { via: string }) => each.via),
      ['sms'],
    )
  })

  it('logs in, verifies and recovers by SMS, and a template renders each', async () => {
    for (const kind of ['login', 'recovery', 'verification'] as const) {
      const { mail, code, flowId } = await service.startWith(kind, { phone: PHONE })
      assert.deepEqual([mail.record.channel, mail.recipient], ['sms', PHONE])
      const { identity, ...rest } = mail.data as { identity: { traits: { phone: string } } }
      assert.equal(identity.traits.phone, PHONE)
      // A recovery's code stands where Ory's text message has it.
      const key = kind === 'login' ? 'login_code' : 'verification_code'
      assert.deepEqual(rest, { ...common(kind), [key]: code })
      const { text } = renderMessage({ templateType: mail.record.template_type, channel: 'sms', data: mail.data })
      assert.ok(text.includes(code), text)
      const done = await service.complete(kind, flowId, code)
      assert.equal(done.status, 200, kind)
    }
  })

  it('takes a phone number for an identifier, and sends a known one a code that logs in', async () => {
    const login = await service.startWith('login', { identifier: PHONE })
    assert.equal(login.mail.record.channel, 'sms')
    const again = await service.startWith('registration', { phone: PHONE })
    assert.equal(again.mail.record.template_type, 'login_code_valid')
    assert.match((await service.complete('registration', again.flowId, again.code)).body.session_token, /^prst_/)
  })

  it('proves the mail address first where there are both, and the phone number later', async () => {
    const traits = { email: 'both@phone.example', phone: '+4930901821' }
    const { mail, code, flowId } = await service.startWith('registration', { traits })
    assert.equal(mail.record.channel, 'email')
    const { body } = await service.complete('registration', flowId, code)
    const states = (addresses: { via: string; verified: boolean }[]) =>
      addresses.map(({ via, verified }) => [via, verified])
    assert.deepEqual(states(body.verifiable_addresses), [
      ['email', true],
      ['sms', false],
    ])
    const proof = await service.startWith('verification', { phone: traits.phone })
    assert.equal((await service.complete('verification', proof.flowId, proof.code)).status, 200)
    const login = await service.startWith('login', { phone: traits.phone })
    const session = await service.complete('login', login.flowId, login.code)
    assert.deepEqual(states(session.body.identity.verifiable_addresses), [
      ['email', true],
      ['sms', true],
    ])
  })

  it('answers 409 when somebody else has the other address by then', async () => {
    const { code, flowId } = await service.startWith('registration', {
      traits: { email: 'late@phone.example', phone: PHONE },
    })
    assert.equal((await service.complete('registration', flowId, code)).status, 409)
    const { rows } = await service.database.query({
      text: "select from identity.address where identifier = 'late@phone.example'",
    })
    assert.equal(rows.length, 0)
  })

  it('runs the same statements for a number that nobody has, and sends it nothing', async () => {
    for (const kind of ['login', 'recovery', 'verification']) {
      const lists = []
      for (const phone of [PHONE, '+4930999999']) {
        await service.database.query({ text: 'delete from identity.throttle' })
        const before = (await service.mails()).length
        lists.push(
          await service.statementsOf(async () => {
            assert.equal((await service.request('POST', `/self-service/${kind}`, { phone })).status, 202)
          }),
        )
        assert.equal((await service.mails()).length - before, phone === PHONE ? 1 : 0)
      }
      const ends = /^(release|rollback to) savepoint work$/
      const [known, unknown] = lists.map((texts) => texts.map((text) => text.replace(ends, 'end')))
      assert.deepEqual(known, unknown)
    }
  })

  it('shows the phone number in the identity schema', async () => {
    const { body } = await service.request('GET', '/schemas/default')
    assert.deepEqual(body.properties.traits.properties.phone['ory.sh/kratos'].verification, { via: 'sms' })
    assert.ok(new RegExp(body.properties.traits.properties.phone.pattern).test(PHONE))
  })
})
