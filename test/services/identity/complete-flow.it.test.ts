import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { openIdentity, type TestIdentity } from './open-identity.ts'

describe('completeFlow', () => {
  let service: TestIdentity
  before(async () => {
    service = await openIdentity()
  })
  after(() => service[Symbol.asyncDispose]())

  it('makes the identity of a registration, in the shape of Ory', async () => {
    const { flowId, code } = await service.start('registration', 'Grace@Navy.Example', 'Grace')
    const { status, body } = await service.complete('registration', flowId, code)
    assert.equal(status, 200)
    assert.deepEqual(body.traits, { email: 'Grace@navy.example', name: 'Grace' })
    assert.equal(body.schema_id, 'default')
    assert.equal(body.state, 'active')
    assert.equal(body.verifiable_addresses.length, 1)
    const { value, verified, via, status: addressStatus } = body.verifiable_addresses[0]
    assert.deepEqual([value, verified, via, addressStatus], ['Grace@navy.example', true, 'email', 'completed'])
    assert.ok(Date.parse(body.created_at) > 0 && Date.parse(body.updated_at) > 0)
    assert.equal('credentials' in body, false)
    const schema = await service.request('GET', new URL(body.schema_url).pathname)
    assert.equal(schema.status, 200)
  })

  it('opens a session for a login', async () => {
    const identity = await service.registered('hedy@film.example')
    const { flowId, code } = await service.start('login', 'HEDY@film.example')
    const { status, body } = await service.complete('login', flowId, code)
    assert.equal(status, 200)
    assert.deepEqual(body.identity, identity)
    const session = await service.request('GET', '/sessions/whoami', undefined, {
      'x-session-token': body.session_token,
    })
    assert.equal(session.status, 200)
    assert.deepEqual(session.body.identity, identity)
  })

  it('completes the registration of an owned address as a login', async () => {
    const identity = await service.registered('joan@bletchley.example')
    const { flowId, code } = await service.start('registration', 'joan@bletchley.example', 'Somebody else')
    const { status, body } = await service.complete('registration', flowId, code)
    assert.equal(status, 200)
    assert.deepEqual(body.identity, identity)
    assert.match(body.session_token, /^prst_/)
  })

  it('answers 400 to a wrong code and 410 to the sixth try, right or wrong', async () => {
    const { flowId, code } = await service.start('registration', 'five@tries.example')
    const wrong = wrongCode(code)
    for (let i = 0; i < 5; i++) {
      const { status, body } = await service.complete('registration', flowId, wrong)
      assert.equal(status, 400)
      assert.equal(body.error.code, 400)
    }
    assert.equal((await service.complete('registration', flowId, code)).status, 410)
    assert.equal((await service.complete('registration', flowId, wrong)).status, 410)
  })

  it('compares at most five of many concurrent guesses', async () => {
    const { flowId, code } = await service.start('registration', 'many@tries.example')
    const wrong = wrongCode(code)
    const answers = await Promise.all(Array.from({ length: 25 }, () => service.complete('registration', flowId, wrong)))
    const count = (status: number) => answers.filter((answer) => answer.status === status).length
    assert.deepEqual([count(400), count(410)], [5, 20])
  })

  it('takes a code once, also of concurrent requests', async () => {
    await service.registered('once@only.example')
    for (const kind of ['registration', 'login'] as const) {
      const { flowId, code } = await service.start(kind, 'once@only.example')
      const answers = await Promise.all([1, 2, 3, 4].map(() => service.complete(kind, flowId, code)))
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 410, 410, 410])
      assert.equal((await service.complete(kind, flowId, code)).status, 410)
    }
  })

  it('answers 410 after the code expired', async () => {
    const { flowId, code } = await service.start('registration', 'late@comer.example')
    await service.database.query({
      text: "update identity.flow set expires_at = now() - interval '1 second' where id = $1",
      values: [flowId],
    })
    assert.equal((await service.complete('registration', flowId, code)).status, 410)
  })

  it('answers 404 to a flow that does not exist, or is of the other kind', async () => {
    const { flowId, code } = await service.start('registration', 'other@kind.example')
    assert.equal((await service.complete('login', flowId, code)).status, 404)
    assert.equal((await service.complete('registration', randomUUID(), code)).status, 404)
    assert.equal((await service.complete('registration', 'no-uuid', code)).status, 404)
    assert.equal((await service.complete('registration', flowId, code)).status, 200)
  })

  it('makes one identity of two concurrent registrations of one address', async () => {
    const flows = [
      await service.start('registration', 'twin@sister.example', 'One'),
      await service.start('registration', 'twin@sister.example', 'Two'),
    ]
    const answers = await Promise.all(flows.map(({ flowId, code }) => service.complete('registration', flowId, code)))
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200],
    )
    const ids = answers.map(({ body }) => body.identity?.id ?? body.id)
    assert.equal(ids[0], ids[1])
    assert.equal(answers.filter(({ body }) => 'session_token' in body).length, 1)
    const { rows } = await service.database.query<{ count: number }>({
      text: "select count(*) from identity.identity where lower(traits->>'email') = 'twin@sister.example'",
    })
    assert.equal(rows[0]?.count, 1)
  })

  it('gives nothing to a mailbox whose address only folds to the same identifier', async () => {
    // The Kelvin sign is lower-cased to a plain k.
    const theirs = await service.start('registration', '\u212Aate@fold.example')
    const ours = await service.start('registration', 'kate@fold.example')
    assert.equal((await service.complete('registration', ours.flowId, ours.code)).status, 200)
    assert.equal((await service.complete('registration', theirs.flowId, theirs.code)).status, 410)
    const later = await service.start('registration', '\u212Aate@fold.example')
    assert.equal(later.mail.recipient, 'kate@fold.example')
  })

  it('never completes a login of an address that nobody owns', async () => {
    const { body } = await service.request('POST', '/self-service/login', { identifier: 'nobody@here.example' })
    // The hash of a known code stands in for a lucky guess.
    await service.database.query({
      text: 'update identity.flow set code_hash = $2 where id = $1',
      values: [body.flow_id, service.codes.hash(body.flow_id, '123456')],
    })
    assert.equal((await service.complete('login', body.flow_id, '123456')).status, 400)
  })
})

function wrongCode(code: string): string {
  return code === '000000' ? '000001' : '000000'
}
