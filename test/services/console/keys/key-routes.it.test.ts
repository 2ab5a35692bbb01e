import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openConsole, type TestConsole } from '../open-console.ts'
import { bearer, makeKey, makeProject, STUB } from './make-keys.ts'

const MESSAGES = '/admin/courier/messages'
const ADMIN_KEY = 'another-configured-key-of-the-tests-x'

describe('/admin/keys', () => {
  let console: TestConsole
  before(async () => {
    console = await openConsole()
    await makeProject(console, 'shop')
  })
  after(() => console[Symbol.asyncDispose]())

  it('makes a key whose token is shown once, lists it and revokes it', async () => {
    const made = await console.request('POST', '/admin/keys', {
      name: 'ops',
      role: 'viewer',
      project: 'shop',
      expires_at: '2099-01-02T03:04:05Z',
    })
    assert.equal(made.status, 201)
    assert.equal(made.headers.get('cache-control'), 'no-store')
    const { token, ...key } = made.body
    assert.match(token, new RegExp(`^pr_${key.id}_`))
    assert.equal(key.expires_at, '2099-01-02T03:04:05.000Z')
    assert.equal(key.project, 'shop')
    await console.request('GET', MESSAGES, undefined, bearer(token))
    const listed = async () =>
      (await console.request('GET', '/admin/keys')).body.find(({ id }: { id: string }) => id === key.id)
    const { last_used_at, ...shown } = await listed()
    assert.deepEqual({ ...shown, last_used_at: null }, key)
    assert.ok(Math.abs(Date.now() - Date.parse(last_used_at)) < 60_000)
    for (let i = 0; i < 2; i++) assert.equal((await console.request('DELETE', `/admin/keys/${key.id}`)).status, 204)
    assert.ok((await listed()).revoked_at)
    assert.equal((await console.request('GET', MESSAGES, undefined, bearer(token))).status, 401)
    assert.equal((await console.request('DELETE', '/admin/keys/ffffffffffff')).status, 404)
  })

  for (const [field, body] of [
    ['name', { role: 'admin' }],
    ['name', { name: ' ', role: 'admin' }],
    ['role', { name: 'x', role: 'root' }],
    ['project', { name: 'x', role: 'admin', project: 'nobody' }],
    ['expires_at', { name: 'x', role: 'admin', expires_at: 'tomorrow' }],
    ['expires_at', { name: 'x', role: 'admin', expires_at: '2020-01-01T00:00:00Z' }],
    ['rights', { name: 'x', role: 'admin', rights: 'all' }],
    ['body', []],
  ] as const) {
    it(`refuses ${JSON.stringify(body)} and names ${field}`, async () => {
      const { status, body: answer } = await console.request('POST', '/admin/keys', body)
      assert.equal(status, 400)
      assert.ok(answer.error.message.startsWith(`${field}: `), answer.error.message)
    })
  }
})

describe('/session', () => {
  let console: TestConsole
  before(async () => {
    console = await openConsole({ host: '0.0.0.0', adminKey: ADMIN_KEY })
  })
  after(() => console[Symbol.asyncDispose]())

  const signIn = async (key: string, headers: Record<string, string> = {}) => {
    const answer = await console.request('POST', '/session', { key }, headers)
    const set = answer.headers.get('set-cookie') ?? ''
    return { ...answer, set, cookie: set.split(';')[0]! }
  }

  it('signs a browser in with a cookie that no script and no other site can use', async () => {
    const { token } = await makeKey(console, { name: 'ops', role: 'operator' })
    const { status, body, set, cookie } = await signIn(token)
    assert.equal(status, 200)
    assert.deepEqual(body, { name: 'ops', role: 'operator', project: null })
    assert.match(set, /^postrider_session=[0-9a-f]{64}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/)
    assert.deepEqual((await console.request('GET', '/session', undefined, { cookie })).body, body)
    assert.equal((await console.request('GET', MESSAGES, undefined, { cookie: `a=b; ${cookie}` })).status, 200)
    assert.equal((await console.request('GET', '/admin/keys', undefined, { cookie })).status, 403)
  })

  it('takes no large body from a stranger', async () => {
    const { status, set } = await signIn(ADMIN_KEY, {})
    assert.deepEqual([status, set !== ''], [200, true])
    assert.equal((await signIn('k'.repeat(5_000))).status, 413)
  })

  it('refuses a wrong key, and asks a browser that is not signed in for one', async () => {
    const { status, set, headers } = await signIn(`pr_0b8f1c2d3e4f_${'0'.repeat(64)}`)
    assert.equal(status, 401)
    assert.equal(set, '')
    assert.equal(headers.get('www-authenticate'), 'Bearer')
    assert.equal((await console.request('GET', '/session')).status, 401)
    const cookie = `postrider_session=${'0'.repeat(64)}`
    assert.equal((await console.request('GET', MESSAGES, undefined, { cookie })).status, 401)
    assert.equal((await console.request('POST', '/session', { key: 7 })).status, 400)
  })

  it('ends for good when it is ended, revoked with its key, or out of time', async () => {
    const { id, token } = await makeKey(console, {})
    const statusOf = async (cookie: string) => (await console.request('GET', MESSAGES, undefined, { cookie })).status
    const ended = (await signIn(token)).cookie
    const revoked = (await signIn(token)).cookie
    assert.equal(await statusOf(ended), 200)
    const origin = { 'sec-fetch-site': 'same-origin' }
    const signOut = await console.request('DELETE', '/session', undefined, { cookie: ended, ...origin })
    assert.equal(signOut.status, 204)
    assert.match(signOut.headers.get('set-cookie') ?? '', /^postrider_session=; .*Max-Age=0/)
    assert.equal(await statusOf(ended), 401)
    assert.equal(await statusOf(revoked), 200)
    await console.request('DELETE', `/admin/keys/${id}`, undefined, bearer(ADMIN_KEY))
    assert.equal(await statusOf(revoked), 401)
    const old = (await signIn(ADMIN_KEY)).cookie
    assert.equal(await statusOf(old), 200)
    await console.database.query({ text: "update config.sign_in set expires_at = now() - interval '1 second'" })
    assert.equal(await statusOf(old), 401)
  })

  it('lets a cookie change something only from a page of the console itself', async () => {
    const { cookie } = await signIn(ADMIN_KEY)
    const { host } = new URL(console.url)
    const message = { recipient: 'a@example.org', ...STUB }
    for (const [headers, status] of [
      [{}, 403],
      [{ 'sec-fetch-site': 'cross-site' }, 403],
      [{ 'sec-fetch-site': 'same-site' }, 403],
      [{ origin: 'https://evil.example' }, 403],
      [{ origin: 'null' }, 403],
      [{ 'sec-fetch-site': 'cross-site', origin: `http://${host}` }, 403],
      [{ 'sec-fetch-site': 'same-origin' }, 202],
      [{ origin: `http://${host}` }, 202],
    ] as const) {
      const answer = await console.request('POST', MESSAGES, message, { cookie, ...headers })
      assert.equal(answer.status, status, JSON.stringify(headers))
    }
  })

  it('signs nobody in for a page of another site', async () => {
    assert.equal((await signIn(ADMIN_KEY, { origin: 'https://evil.example' })).status, 403)
    assert.equal((await signIn(ADMIN_KEY, { 'sec-fetch-site': 'cross-site' })).status, 403)
  })

  it('keeps the cookie to TLS where the console is reached by it', async () => {
    const publicOrigin = 'https://console.example.org'
    await using behindProxy = await openConsole({ host: '0.0.0.0', adminKey: ADMIN_KEY, publicOrigin })
    const { headers } = await behindProxy.request('POST', '/session', { key: ADMIN_KEY }, { origin: publicOrigin })
    assert.match(headers.get('set-cookie') ?? '', /; Secure$/)
  })
})
