import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { accessOf, grants, ROLES, rolesWith, scopeOf } from '../../../services/console/access.ts'

describe('accessOf', () => {
  for (const [method, url, expected] of [
    ['GET', '/anything', 'read'],
    ['HEAD', '/anything', 'read'],
    ['POST', '/anything', 'configure'],
    ['DELETE', '/anything', 'configure'],
    ['OPTIONS', '/anything', 'configure'],
    ['GET', '/health/alive', 'public'],
    ['GET', '/metrics', 'public'],
    ['GET', '/metrics/other', 'read'],
  ] as const) {
    it(`is ${expected} for ${method} ${url} that says nothing`, () => assert.equal(accessOf({ method, url }), expected))
  }

  it('is what the route says', () => {
    assert.equal(accessOf({ method: 'POST', url: '/x', config: { access: 'send' } }), 'send')
  })

  it('is configure for a route of several methods, one of which changes something', () => {
    assert.equal(accessOf({ method: ['GET', 'POST'], url: '/x' }), 'configure')
  })
})

describe('grants', () => {
  for (const [role, granted] of [
    ['viewer', ['read']],
    ['sender', ['send']],
    ['operator', ['read', 'send', 'operate']],
    ['admin', ['read', 'send', 'operate', 'configure']],
  ] as const) {
    it(`lets a ${role} ${granted.join(', ')} and nothing else`, () => {
      const all = ['read', 'send', 'operate', 'configure'] as const
      assert.deepEqual(
        all.filter((access) => grants(role, access)),
        granted,
      )
    })
  }

  it('lets everybody reach what is public', () => assert.ok(ROLES.every((role) => grants(role, 'public'))))
})

describe('rolesWith', () => {
  it('names the roles that may, least first', () => {
    assert.deepEqual(rolesWith('operate'), ['operator', 'admin'])
    assert.deepEqual(rolesWith('configure'), ['admin'])
  })
})

describe('scopeOf', () => {
  for (const [url, expected] of [
    ['/admin/courier/messages/:id', 'message'],
    ['/courier/messages/:id/retry', 'message'],
    ['/admin/courier/messages', undefined],
    ['/admin/courier/messages/stream', undefined],
    ['/projects/:id/identity-config', 'project'],
    ['/projects', undefined],
    ['/admin/keys/:id', undefined],
  ] as const) {
    it(`is ${expected ?? 'nothing'} for ${url}`, () => assert.equal(scopeOf({ url }), expected))
  }
})
