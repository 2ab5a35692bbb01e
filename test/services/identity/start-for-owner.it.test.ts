import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openIdentity, type TestIdentity } from './open-identity.ts'

const KINDS = ['recovery', 'verification'] as const

describe('startForOwner', () => {
  let service: TestIdentity
  before(async () => {
    service = await openIdentity()
    await service.registered('Known@one.example')
  })
  after(() => service[Symbol.asyncDispose]())

  const ask = (kind: string, body: unknown) => service.request('POST', `/self-service/${kind}`, body)
  const mailsOf = async (act: () => Promise<unknown>) => {
    const before = (await service.mails()).length
    await act()
    return (await service.mails()).slice(before)
  }

  it('mails a code with the keys of Ory, and beside a code that verifies the link with it', async () => {
    for (const kind of KINDS) {
      const { mail, code, flowId } = await service.startWith(kind, {
        email: 'known@one.example',
        transient_payload: { brand: 'b' },
      })
      assert.equal(mail.record.template_type, `${kind}_code_valid`)
      assert.equal(mail.recipient, 'Known@one.example')
      const { identity, ...rest } = mail.data as { identity: { traits: unknown; id: string } }
      assert.deepEqual(identity.traits, { email: 'Known@one.example' })
      assert.equal(mail.record.identity_id, identity.id)
      const url = `${service.publicUrl}/self-service/verification?flow=${flowId}&code=${code}`
      assert.deepEqual(rest, {
        to: 'Known@one.example',
        [`${kind}_code`]: code,
        ...(kind === 'verification' && { verification_url: url }),
        request_url: `${service.publicUrl}/self-service/${kind}`,
        transient_payload: { brand: 'b' },
        expires_in_minutes: 60,
      })
    }
  })

  it('recovers by code to a session that works, and leaves other sessions alone', async () => {
    const { token, identity } = await service.loggedIn('recover@one.example')
    const { flowId, code } = await service.start('recovery', 'RECOVER@one.example')
    const { status, body } = await service.complete('recovery', flowId, code)
    assert.equal(status, 200)
    assert.deepEqual(body.identity, identity)
    for (const each of [token, body.session_token]) {
      const who = await service.request('GET', '/sessions/whoami', undefined, { 'x-session-token': each })
      assert.equal(who.status, 200)
    }
    assert.equal((await service.complete('recovery', flowId, code)).status, 410)
  })

  it('verifies by code or by the link with it, and says so when it was done before', async () => {
    const { flowId, code } = await service.start('verification', 'known@one.example')
    assert.equal((await service.complete('verification', flowId, wrong(code))).status, 400)
    const done = await service.complete('verification', flowId, code)
    assert.deepEqual([done.status, done.body.already_verified], [200, false])
    const path = `/self-service/verification?flow=${flowId}&code=${code}`
    assert.equal((await service.request('GET', path)).body.already_verified, true)
    assert.equal((await service.complete('verification', flowId, wrong(code))).status, 400)
  })

  it('gives five tries to a code, also through the link', async () => {
    const { flowId, code } = await service.start('verification', 'known@one.example')
    for (let i = 0; i < 5; i++) {
      const path = `/self-service/verification?flow=${flowId}&code=${wrong(code)}`
      assert.equal((await service.request('GET', path)).status, 400)
    }
    assert.equal((await service.complete('verification', flowId, code)).status, 410)
  })

  for (const kind of KINDS) {
    for (const method of ['code', 'link'] as const) {
      it(`answers ${kind} by ${method} alike and runs the same statements, whether or not the address is known`, async () => {
        for (const notify of [false, true]) {
          service.settings.notifyUnknown = { recovery: notify, verification: notify }
          const results = []
          for (const email of ['known@one.example', `unknown-${notify}@one.example`]) {
            await service.database.query({ text: 'delete from identity.throttle' })
            let answer: Awaited<ReturnType<typeof ask>> | undefined
            const statements = await service.statementsOf(async () => {
              answer = await ask(kind, { email, method })
            })
            const ends = /^(release|rollback to) savepoint work$/
            results.push({
              status: answer?.status,
              keys: Object.keys(answer?.body),
              headers: [...(answer?.headers.keys() ?? [])],
              length: answer?.headers.get('content-length'),
              statements: statements.map((text) => text.replace(ends, 'end')),
            })
          }
          assert.equal(results[0]?.status, 202)
          assert.deepEqual(results[0]?.keys, ['flow_id'])
          assert.deepEqual(results[0], results[1])
        }
        service.settings.notifyUnknown = { recovery: false, verification: false }
      })

      it(`tells an unknown address of ${kind} by ${method} only where that is wanted`, async () => {
        const email = `nobody-${kind}-${method}@two.example`
        const quiet = await mailsOf(() => ask(kind, { email, method }))
        assert.deepEqual(quiet, [])
        service.settings.notifyUnknown = { recovery: kind === 'recovery', verification: kind === 'verification' }
        const [mail, ...others] = await mailsOf(() => ask(kind, { email, method }))
        assert.deepEqual(others, [])
        assert.equal(mail?.record.template_type, method === 'link' ? `${kind}_invalid` : `${kind}_code_invalid`)
        assert.equal(mail?.record.lane, 'notice')
        assert.deepEqual(mail?.data, {
          to: email,
          request_url: `${service.publicUrl}/self-service/${kind}`,
          transient_payload: {},
        })
        const sms = await mailsOf(() => ask(kind, { phone: '+4930000000' }))
        assert.deepEqual(sms, [])
        service.settings.notifyUnknown = { recovery: false, verification: false }
      })
    }

    it(`completes no ${kind} of an address that nobody owns`, async () => {
      const { body } = await ask(kind, { email: `lucky-${kind}@three.example` })
      // The hash of a known code stands in for a lucky guess.
      await service.database.query({
        text: 'update identity.flow set code_hash = $2 where id = $1',
        values: [body.flow_id, service.codes.hash(body.flow_id, '123456')],
      })
      assert.equal((await service.complete(kind, body.flow_id, '123456')).status, 400)
    })
  }

  it('counts mails of all flows together, per address', async () => {
    await service.database.query({ text: 'delete from identity.throttle' })
    const email = 'known@one.example'
    const asks = [
      () => ask('registration', { traits: { email } }),
      () => ask('login', { identifier: email }),
      () => ask('recovery', { email }),
      () => ask('verification', { email, method: 'link' }),
      () => ask('recovery', { email, method: 'link' }),
    ]
    for (const each of asks) assert.ok((await each()).status < 300)
    for (const each of asks) {
      const { status, headers } = await each()
      assert.equal(status, 429)
      assert.ok(Number(headers.get('retry-after')) > 500)
    }
    assert.equal((await ask('recovery', { email: 'other@one.example' })).status, 202)
  })

  it('passes on the allowed headers and the language of the request', async () => {
    const { mail } = await service.startWith(
      'recovery',
      { email: 'known@one.example' },
      { 'user-agent': 'Test/1', 'accept-language': 'fr;q=0.5, de-CH', 'x-secret': 's' },
    )
    assert.deepEqual(mail.requestHeaders, { 'User-Agent': ['Test/1'], 'Accept-Language': ['fr;q=0.5, de-CH'] })
    assert.equal(mail.record.locale, 'de-CH')
    assert.ok(!JSON.stringify(mail.record).includes('Test/1'))
  })

  it('refuses what it does not understand, naming the field', async () => {
    for (const [body, field] of [
      [{}, 'body'],
      [{ email: 'a@b.example', phone: '+4930000000' }, 'body'],
      [{ email: 'a@b.example', method: 'pigeon' }, 'method'],
      [{ phone: '+4930000000', method: 'link' }, 'method'],
      [{ phone: '030 000' }, 'phone'],
      [{ email: 'a@b.example', transient_payload: [] }, 'transient_payload'],
    ] as const) {
      const { status, body: answer } = await ask('recovery', body)
      assert.equal(status, 400)
      assert.ok(answer.error.message.startsWith(`${field}: `), answer.error.message)
    }
  })
})

function wrong(code: string): string {
  return code === '000000' ? '000001' : '000000'
}
