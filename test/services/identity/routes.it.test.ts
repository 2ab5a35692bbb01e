import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openIdentity } from './open-identity.ts'

const FLOW = '6a0f6f7e-58c6-4f0e-9f27-0f5b7a4f4a01'

describe('addIdentityRoutes', () => {
  const routes: [string, string, unknown?][] = [
    ['POST', '/self-service/registration', { email: 'a@b.example' }],
    ['POST', `/self-service/registration/${FLOW}`, { code: '123456' }],
    ['POST', '/self-service/login', { identifier: 'a@b.example' }],
    ['POST', `/self-service/login/${FLOW}`, { code: '123456' }],
    ...['recovery', 'verification'].flatMap((kind): [string, string, unknown?][] => [
      ['POST', `/self-service/${kind}`, { email: 'a@b.example' }],
      ['POST', `/self-service/${kind}/${FLOW}`, { code: '123456' }],
      ['GET', `/self-service/${kind}?flow=${FLOW}&token=x`],
    ]),
    ['PATCH', `/identities/${FLOW}`, { traits: {} }],
    ['GET', '/sessions/whoami'],
  ]

  it('counts the requests of a client to every flow together', async () => {
    await using service = await openIdentity({ requests: routes.length })
    for (const [method, path, body] of routes) {
      const { status } = await service.request(method, path, body)
      assert.notEqual(status, 429, `${method} ${path}`)
    }
    for (const [method, path, body] of routes) {
      const { status, headers, body: answer } = await service.request(method, path, body)
      assert.equal(status, 429, `${method} ${path}`)
      const seconds = Number(headers.get('retry-after'))
      assert.ok(seconds > 0 && seconds <= 60, `retry-after: ${seconds}`)
      assert.equal(answer.error.code, 429)
    }
    const page = await service.request('GET', `/self-service/recovery?flow=${FLOW}&token=x`, undefined, {
      accept: 'text/html',
    })
    assert.equal(page.status, 429)
    assert.match(page.body, /<h1>Too Many Requests<\/h1>/)
    assert.ok(Number(page.headers.get('retry-after')) > 0)
  })

  it('describes each of them', async () => {
    await using service = await openIdentity()
    const { body: openapi } = await service.request('GET', '/openapi.json')
    for (const [method, path] of routes) {
      const template = path.split('?')[0]!.replace(FLOW, path.startsWith('/identities') ? '{id}' : '{flow_id}')
      assert.ok(openapi.paths[template]?.[method.toLowerCase()]?.responses, `${method} ${template}`)
    }
    const names = JSON.stringify(openapi).matchAll(/#\/components\/schemas\/(\w+)/g)
    for (const [, name] of names) assert.ok(openapi.components.schemas[name!], name)
  })

  it('takes an address in place of traits, not beside them', async () => {
    await using service = await openIdentity()
    const { mail } = await service.startWith('registration', { email: 'short@one.example' })
    assert.deepEqual(mail.data.traits, { email: 'short@one.example' })
    const both = { email: 'short@one.example', traits: { phone: '+4930901820' } }
    assert.equal((await service.request('POST', '/self-service/registration', both)).status, 400)
  })
})
