import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { accessOf, grants, ROLES, type Role } from '../../../../services/console/access.ts'
import { openConsole, type TestConsole } from '../open-console.ts'
import { bearer, makeKey, makeProject, STUB } from './make-keys.ts'

const MESSAGES = '/admin/courier/messages'
const ADMIN_KEY = 'a configured key of the tests, long enough'.replaceAll(' ', '-')

/** Every route with a path that can be asked for, one row per method. */
function routesOf(console: TestConsole) {
  return console.routes
    .flatMap(({ method, url, config }) => [method].flat().map((each) => ({ method: each, url, config })))
    .map((route) => ({
      ...route,
      path: route.url.replace(/:\w+/g, '019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f').replace('*', 'x'),
      access: accessOf(route),
    }))
}

describe('a console beyond loopback', () => {
  let console: TestConsole
  const keys = {} as Record<Role, { authorization: string }>
  before(async () => {
    console = await openConsole({ host: '0.0.0.0', adminKey: ADMIN_KEY })
    for (const role of ROLES) keys[role] = (await makeKey(console, { name: role, role })).headers
  })
  after(() => console[Symbol.asyncDispose]())

  const statusOf = async (method: string, path: string, headers: Record<string, string> = {}): Promise<number> => {
    const response = await fetch(console.url + path, { method, headers, redirect: 'manual' })
    await response.body?.cancel()
    return response.status
  }

  it('asks for a key at every route that is not public, and at paths that do not exist', async () => {
    const routes = routesOf(console)
    assert.ok(routes.length > 10)
    for (const { method, path, access } of routes) {
      const status = await statusOf(method, path)
      // Its own answer to a browser that has not signed in.
      if (access !== 'public') assert.equal(status, 401, `${method} ${path}`)
      else if (!path.startsWith('/session')) assert.notEqual(status, 401, `${method} ${path}`)
    }
    for (const path of ['/health/alive', '/metrics', '/openapi.json', '/'])
      assert.equal(await statusOf('GET', path), 200)
    assert.equal(await statusOf('GET', '/no/such/path'), 401)
    assert.equal(await statusOf('POST', '/no/such/path'), 401)
  })

  for (const role of ROLES) {
    it(`lets a ${role} do what the role grants at every route, and nothing else`, async () => {
      for (const { method, path, access } of routesOf(console)) {
        if (path.startsWith('/session')) continue
        const status = await statusOf(method, path, keys[role])
        if (grants(role, access)) assert.ok(status !== 401 && status !== 403, `${method} ${path}: ${status}`)
        else assert.equal(status, 403, `${method} ${path}`)
      }
    })
  }

  it('lets a viewer change nothing, whatever a route forgot to say', async () => {
    for (const { method, path, access } of routesOf(console)) {
      if (method === 'GET' || method === 'HEAD' || access === 'public') continue
      assert.equal(await statusOf(method, path, keys.viewer), 403, `${method} ${path}`)
    }
  })

  it('has no public route that changes anything but the sign-in of a browser and signed webhooks', () => {
    const changing = routesOf(console).filter(
      ({ method, access }) => access === 'public' && method !== 'GET' && method !== 'HEAD',
    )
    for (const { url } of changing) assert.match(url, /^\/(session|webhooks\/.*)$/)
  })

  for (const [method, path, allowed] of [
    ['GET', MESSAGES, ['viewer', 'operator', 'admin']],
    ['GET', '/courier/messages', ['viewer', 'operator', 'admin']],
    ['POST', MESSAGES, ['sender', 'operator', 'admin']],
    ['GET', '/admin/keys', ['admin']],
    ['POST', '/admin/keys', ['admin']],
    ['DELETE', '/admin/keys/0b8f1c2d3e4f', ['admin']],
  ] as const) {
    it(`lets ${allowed.join(', ')} ${method} ${path}`, async () => {
      for (const role of ROLES) {
        const isAllowed = allowed.some((each) => each === role)
        assert.equal((await statusOf(method, path, keys[role])) !== 403, isAllowed, role)
      }
    })
  }

  it('answers 401 in the shape of Ory with the scheme to use, 403 with the role that is needed', async () => {
    const none = await console.request('GET', MESSAGES)
    assert.equal(none.headers.get('www-authenticate'), 'Bearer')
    assert.equal(none.headers.get('content-type'), 'application/json')
    assert.deepEqual({ ...none.body.error, message: '' }, { code: 401, status: 'Unauthorized', message: '' })
    const wrong = await console.request('POST', MESSAGES, { recipient: 'a@example.org', ...STUB }, keys.viewer)
    assert.equal(wrong.status, 403)
    assert.equal(
      wrong.body.error.message,
      'This needs a key of role sender or operator or admin; the one in use is viewer.',
    )
  })

  it('refuses a key at once when it is revoked, and one that has expired', async () => {
    const key = await makeKey(console, { role: 'viewer' })
    assert.equal(await statusOf('GET', MESSAGES, key.headers), 200)
    assert.equal(await statusOf('DELETE', `/admin/keys/${key.id}`, bearer(ADMIN_KEY)), 204)
    assert.equal(await statusOf('GET', MESSAGES, key.headers), 401)
    const old = await makeKey(console, { expiresAt: new Date(Date.now() + 3_600_000) })
    await console.database.query({
      text: "update config.api_key set expires_at = now() - interval '1 second' where id = $1",
      values: [old.id],
    })
    assert.equal(await statusOf('GET', MESSAGES, old.headers), 401)
  })

  it('refuses a right id with another secret, and other schemes', async () => {
    const { id, token } = await makeKey(console, {})
    assert.equal(await statusOf('GET', MESSAGES, bearer(`pr_${id}_${'0'.repeat(64)}`)), 401)
    assert.equal(await statusOf('GET', MESSAGES, { authorization: `Basic ${token}` }), 401)
    assert.equal(await statusOf('GET', `${MESSAGES}?token=${token}`), 401)
  })

  it('takes the configured key without any row', async () => {
    assert.equal(await statusOf('GET', '/admin/keys', bearer(ADMIN_KEY)), 200)
    assert.equal(await statusOf('GET', '/admin/keys', bearer(`${ADMIN_KEY}x`)), 401)
  })

  it('never writes a key to its log', async () => {
    const { body } = await console.request('POST', '/admin/keys', { name: 'n', role: 'viewer' }, bearer(ADMIN_KEY))
    await console.request('POST', '/session', { key: body.token })
    await console.request('GET', MESSAGES, undefined, bearer(`${body.token}0`))
    await console.database.query({ text: 'alter table config.api_key rename to moved' })
    assert.equal(await statusOf('GET', MESSAGES, bearer(body.token)), 500)
    await console.database.query({ text: 'alter table config.moved rename to api_key' })
    const log = console.log()
    assert.match(log, /key created/)
    assert.match(log, /request failed/)
    assert.ok(!log.includes(body.token.slice(-64)) && !log.includes(ADMIN_KEY))
  })

  it('keeps no secret in the database', async () => {
    const { token } = await makeKey(console, {})
    const { rows } = await console.database.query<{ text: string }>({
      text: 'select k::text as text from config.api_key k',
    })
    for (const { text } of rows) assert.ok(!text.includes(token.slice(-64)))
  })
})

describe('a client that tries keys', () => {
  it('is made to wait after ten wrong ones in a minute, while a key that was good goes on', async () => {
    await using console = await openConsole({ host: '0.0.0.0' })
    const good = await makeKey(console, {})
    const late = await makeKey(console, {})
    const ask = (headers: Record<string, string>) => console.request('GET', MESSAGES, undefined, headers)
    assert.equal((await ask(good.headers)).status, 200)
    for (let i = 0; i < 10; i++) assert.equal((await ask(bearer(`wrong-${i}`))).status, 401)
    const waiting = await ask(bearer('wrong'))
    assert.equal(waiting.status, 429)
    assert.ok(Number(waiting.headers.get('retry-after')) > 0)
    assert.equal((await ask(late.headers)).status, 429)
    assert.equal((await console.request('POST', '/session', { key: 'wrong' })).status, 429)
    assert.equal((await ask(good.headers)).status, 200)
  })
})

describe('a console on loopback', () => {
  let console: TestConsole
  before(async () => {
    console = await openConsole()
  })
  after(() => console[Symbol.asyncDispose]())

  it('lets whoever sits at this machine do everything without a key', async () => {
    assert.equal((await console.request('GET', MESSAGES)).status, 200)
    assert.equal((await console.request('POST', MESSAGES, { recipient: 'a@example.org', ...STUB })).status, 202)
    assert.equal((await console.request('GET', '/admin/keys')).status, 200)
    assert.deepEqual((await console.request('GET', '/session')).body, { name: 'local', role: 'admin', project: null })
  })

  it('goes by the role of a key that is shown, and refuses a wrong one', async () => {
    const { headers } = await makeKey(console, { role: 'viewer' })
    assert.equal((await console.request('GET', '/admin/keys', undefined, headers)).status, 403)
    assert.equal((await console.request('GET', MESSAGES, undefined, bearer('wrong'))).status, 401)
  })

  it('takes what a proxy passes on for what it is: a stranger', async () => {
    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via']) {
      assert.equal((await console.request('GET', MESSAGES, undefined, { [name]: '203.0.113.7' })).status, 401, name)
    }
  })

  it('takes HTTP/1.0 for a proxy that does not say so', async () => {
    const socket = connect(Number(new URL(console.url).port), '127.0.0.1')
    socket.end(`GET ${MESSAGES} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n`)
    assert.match(await text(socket), /^HTTP\/1\.1 401 /)
  })

  it('asks for a key where a proxy shows it to others, and for none where only this machine is meant', async () => {
    const statusBehind = async (publicOrigin: string): Promise<number> => {
      await using shown = await openConsole({ publicOrigin, adminKey: ADMIN_KEY })
      assert.equal((await shown.request('GET', MESSAGES, undefined, bearer(ADMIN_KEY))).status, 200)
      return (await shown.request('GET', MESSAGES)).status
    }
    assert.equal(await statusBehind('https://console.example.org'), 401)
    assert.equal(await statusBehind('http://localhost:4434'), 200)
  })

  it('refuses pages of other sites and names that point here', async () => {
    const origin = { origin: 'https://evil.example' }
    assert.equal((await console.request('POST', MESSAGES, {}, origin)).status, 400)
    const { port } = new URL(console.url)
    const status = await new Promise((resolve, reject) =>
      httpRequest({ host: '127.0.0.1', port, path: '/session', headers: { host: 'rebound.example' } }, (response) =>
        resolve(response.resume().statusCode),
      )
        .on('error', reject)
        .end(),
    )
    assert.equal(status, 400)
  })
})

describe('a key of one project', () => {
  let console: TestConsole
  let shop: Record<string, string>
  let otherMessage: string
  let shopProject: string
  before(async () => {
    console = await openConsole({ host: '0.0.0.0', adminKey: ADMIN_KEY })
    shopProject = await makeProject(console, 'shop')
    await makeProject(console, 'bank')
    shop = (await makeKey(console, { role: 'admin', project: 'shop' })).headers
    const sent = await console.request(
      'POST',
      MESSAGES,
      { recipient: 'a@example.org', project: 'bank', ...STUB },
      bearer(ADMIN_KEY),
    )
    otherMessage = sent.body.id
  })
  after(() => console[Symbol.asyncDispose]())

  const ask = (method: string, path: string, body?: unknown, headers = {}) =>
    console.request(method, path, body, { ...shop, ...headers })

  it('sends for its project unless another is named, which does not exist for it', async () => {
    const { body } = await ask('POST', MESSAGES, { recipient: 'b@example.org', ...STUB })
    assert.equal((await ask('GET', `${MESSAGES}/${body.id}`)).body.project_id, shopProject)
    for (const project of ['bank', 'default', 'nobody']) {
      const refused = await ask('POST', MESSAGES, { recipient: 'b@example.org', project, ...STUB })
      assert.equal(refused.status, 400)
      assert.equal(refused.body.error.message, 'project: no such project')
    }
  })

  it('sees only its own messages', async () => {
    const { body } = await ask('GET', MESSAGES)
    assert.equal(body.length, 1)
    assert.equal((await ask('GET', `${MESSAGES}?project=bank`)).body.length, 0)
    assert.equal((await ask('GET', `${MESSAGES}?recipient=a@example.org`)).body.length, 0)
    assert.equal((await ask('GET', `${MESSAGES}?project=shop`)).body.length, 1)
    for (const path of [MESSAGES, '/courier/messages']) {
      assert.equal((await ask('GET', `${path}/${otherMessage}`)).status, 404)
      assert.equal((await ask('GET', `${path}/${otherMessage.toUpperCase()}`)).status, 404)
    }
    assert.equal((await ask('GET', `${MESSAGES}/not-a-uuid`)).status, 400)
  })

  it('learns nothing from an Idempotency-Key of somebody else', async () => {
    const key = { 'idempotency-key': 'shared' }
    const message = { recipient: 'c@example.org', ...STUB }
    const others = await console.request('POST', MESSAGES, message, { ...bearer(ADMIN_KEY), ...key })
    const own = await ask('POST', MESSAGES, message, key)
    assert.equal(own.status, 202)
    assert.notEqual(own.body.id, others.body.id)
  })

  it('sees of the projects only its own', async () => {
    const { body } = await ask('GET', '/projects')
    assert.deepEqual(
      body.map(({ slug }: { slug: string }) => slug),
      ['shop'],
    )
    for (const path of ['/projects/shop', `/projects/${shopProject}`])
      assert.equal((await ask('GET', path)).status, 200)
    for (const path of ['/projects/bank', '/projects/nobody', '/projects/bank/identity-config'])
      assert.equal((await ask('GET', path)).status, 404, path)
    assert.equal((await ask('POST', '/projects', { slug: 'new', name: 'new' })).status, 403)
  })

  it('reaches nothing that is about every project, not even as admin', async () => {
    const refused = await ask('POST', '/admin/keys', { name: 'wide', role: 'admin' })
    assert.equal(refused.status, 403)
    assert.match(refused.body.error.message, /bound to shop/)
  })
})
