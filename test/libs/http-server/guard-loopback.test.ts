import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isCoded } from '#libs/errors'
import { checkLoopbackRequest, isLoopback } from '#libs/http-server'

describe('isLoopback', () => {
  for (const [host, expected] of [
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['[::1]', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.168.0.1', false],
    ['127.0.0.1.example', false],
    ['', false],
  ] as const) {
    it(`is ${expected} for ${host || 'nothing'}`, () => assert.equal(isLoopback(host), expected))
  }
})

describe('checkLoopbackRequest', () => {
  for (const [host, origin] of [
    ['127.0.0.1:4434', undefined],
    ['localhost:4434', 'http://localhost:4434'],
    ['LOCALHOST', undefined],
    ['[::1]:4434', 'http://[::1]:4434'],
  ] as const) {
    it(`lets Host ${host}${origin === undefined ? '' : ` from ${origin}`} pass`, () =>
      checkLoopbackRequest(host, origin))
  }

  for (const [what, host, origin] of [
    ['a name that someone points here', 'rebound.example:4434', undefined],
    ['a name that only begins like loopback', '127.0.0.1.example:4434', undefined],
    ['no Host', undefined, undefined],
    ['a page of another site', '127.0.0.1:4434', 'https://evil.example'],
    ['a page without an origin of its own', '127.0.0.1:4434', 'null'],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => checkLoopbackRequest(host, origin),
        (error) => isCoded(error, 'REQUEST_INVALID'),
      )
    })
  }
})
