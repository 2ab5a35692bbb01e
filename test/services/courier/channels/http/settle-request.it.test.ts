import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openHttpSink, replying } from '../../../../support/http-sink.ts'
import { openChannel, openFixture, outgoingMail, sendBy } from './http-fixture.ts'

describe('the request of openHttpChannel', () => {
  it('has the configured headers, and names itself', async () => {
    const headers = { 'X-Tag': 'identity', 'idempotency-key': 'always the same' }
    await using fixture = await openFixture({ config: { headers }, path: '/send?key=s3cret#part' })
    await fixture.send({ messageId: 'm-1' })
    const [request] = fixture.sink.requests
    assert.deepEqual([request?.method, request?.path], ['POST', '/send?key=s3cret'])
    assert.equal(request?.headers['x-tag'], 'identity')
    assert.equal(request?.headers['user-agent'], 'Postrider')
    assert.equal(request?.headers['idempotency-key'], 'm-1')
  })

  it('has the same Idempotency-Key at every attempt', async () => {
    await using fixture = await openFixture({}, replying(503))
    await fixture.send({ messageId: 'm-1', dispatch: 1 })
    await fixture.send({ messageId: 'm-1', dispatch: 2 })
    const keys = fixture.sink.requests.map(({ rawHeaders }) =>
      rawHeaders.filter((_, i, all) => all[i - 1] === 'Idempotency-Key'),
    )
    assert.deepEqual(keys, [['m-1'], ['m-1']])
  })

  for (const method of ['PUT', 'PATCH', 'GET', 'DELETE', 'post']) {
    it(`carries a body by ${method}`, async () => {
      await using fixture = await openFixture({ config: { method } })
      assert.equal((await fixture.send()).outcome, 'accepted')
      assert.equal(fixture.sink.requests[0]?.method, method.toUpperCase())
      assert.equal(JSON.parse(fixture.sink.requests[0]?.body ?? '').login_code, '731904')
    })
  }

  it('carries none by TRACE', async () => {
    await using fixture = await openFixture({ config: { method: 'TRACE' } })
    assert.equal((await fixture.send()).outcome, 'accepted')
    assert.equal(fixture.sink.requests[0]?.body, '')
  })

  it('identifies itself by user and password', async () => {
    const auth = { type: 'basic_auth', config: { user: 'me', password: '12345' } } as const
    await using fixture = await openFixture({ config: { auth, headers: { authorization: 'other' } } })
    await fixture.send()
    assert.equal(fixture.sink.requests[0]?.headers.authorization, 'Basic bWU6MTIzNDU=')
  })

  it('identifies itself by a key in a header, in place of a configured one', async () => {
    const auth = { type: 'api_key', config: { name: 'X-Api-Key', value: 's3cret', in: 'header' } } as const
    await using fixture = await openFixture({ config: { auth, headers: { 'x-api-key': 'old' } } })
    await fixture.send()
    assert.equal(fixture.sink.requests[0]?.headers['x-api-key'], 's3cret')
  })

  it('identifies itself by a key in a cookie, beside a configured one', async () => {
    const auth = { type: 'api_key', config: { name: 'session', value: 's3cret', in: 'cookie' } } as const
    await using fixture = await openFixture({ config: { auth, headers: { Cookie: 'a=b' } } })
    await fixture.send()
    assert.equal(fixture.sink.requests[0]?.headers.cookie, 'a=b; session=s3cret')
  })

  it('identifies itself by user and password of the URL', async () => {
    await using sink = await openHttpSink()
    const channel = openChannel(`http://me:12%3345@127.0.0.1:${sink.port}/`)
    await sendBy(channel, outgoingMail())
    assert.equal(sink.requests[0]?.headers.authorization, 'Basic bWU6MTIzNDU=')
    await channel.close()
  })
})
