import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openIdentity, type TestIdentity } from './open-identity.ts'

describe('whoami', () => {
  let service: TestIdentity
  let token: string
  before(async () => {
    service = await openIdentity()
    await service.registered('ada@engine.example')
    const { flowId, code } = await service.start('login', 'ada@engine.example')
    token = (await service.complete('login', flowId, code)).body.session_token
  })
  after(() => service[Symbol.asyncDispose]())

  const whoami = (headers: Record<string, string>) => service.request('GET', '/sessions/whoami', undefined, headers)

  for (const [what, headers] of [
    ['X-Session-Token', () => ({ 'x-session-token': token })],
    ['Authorization: Bearer', () => ({ authorization: `Bearer ${token}` })],
  ] as const) {
    it(`answers the session of a token in ${what}`, async () => {
      const { status, body } = await whoami(headers())
      assert.equal(status, 200)
      assert.equal(body.active, true)
      assert.equal(body.identity.traits.email, 'ada@engine.example')
      assert.ok(Date.parse(body.issued_at) <= Date.now() + 1_000)
      assert.equal(Date.parse(body.expires_at) - Date.parse(body.issued_at), 24 * 3_600_000)
      assert.equal(body.authenticated_at, body.issued_at)
    })
  }

  it('answers 401 without a token and with one that is not known', async () => {
    for (const headers of [{}, { 'x-session-token': `${token}x` }, { authorization: 'Basic YTpi' }]) {
      const { status, body } = await whoami(headers)
      assert.equal(status, 401)
      assert.equal(body.error.code, 401)
    }
  })

  it('keeps no token in the database', async () => {
    const { rows } = await service.database.query<{ row: string }>({
      text: 'select s::text as row from identity.session s',
    })
    assert.equal(rows.length, 1)
    assert.ok(!rows[0]!.row.includes(token))
    assert.ok(!rows[0]!.row.includes(Buffer.from(token).toString('hex')))
  })

  it('answers 401 after the session ended', async () => {
    await service.database.query({ text: "update identity.session set expires_at = now() - interval '1 second'" })
    assert.equal((await whoami({ 'x-session-token': token })).status, 401)
  })
})
