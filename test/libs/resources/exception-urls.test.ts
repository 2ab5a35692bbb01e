import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openExceptionUrls } from '../../../libs/resources/exception-urls.ts'

describe('openExceptionUrls', () => {
  const fits: [pattern: string, url: string][] = [
    ['http://10.0.0.1/send', 'http://10.0.0.1/send?key=1#part'],
    ['http://mail.internal', 'http://mail.internal/'],
    ['http://mail.internal/', 'http://mail.internal'],
    ['http://*.internal/send', 'http://mail.internal/send'],
    ['http://mail.internal/*/send', 'http://mail.internal/v1/send'],
    ['http://mail.internal/**', 'http://mail.internal/v1/send.json'],
    ['http://{mail,sms}.internal/', 'http://sms.internal/'],
    ['http://mail?.internal/', 'http://mail1.internal/'],
    ['http://[::1]:8080/', 'http://[::1]:8080/'],
    ['http://mail.internal/', 'http://user:password@mail.internal/'],
  ]
  for (const [pattern, url] of fits) {
    it(`${pattern} fits ${url}`, () => assert.equal(openExceptionUrls([pattern])(url), true))
  }

  const differs: [pattern: string, url: string][] = [
    ['http://*.internal/', 'http://a.b.internal/'],
    ['http://mail.internal/*', 'http://mail.internal/a/b'],
    ['http://mail.internal/', 'https://mail.internal/'],
    ['http://mail.internal/', 'http://mailxinternal/'],
    ['http://mail.internal/', 'http://mail.internal.evil.test/'],
    ['http://mail.internal/', 'http://mail.internal@127.0.0.1/'],
    ['http://10.0.0.1/', 'http://10.0.0.1:8080/'],
    ['http://mail?.internal/', 'http://mail.internal/'],
  ]
  for (const [pattern, url] of differs) {
    it(`${pattern} does not fit ${url}`, () => assert.equal(openExceptionUrls([pattern])(url), false))
  }

  it('fits nothing without patterns, and any of several', () => {
    assert.equal(openExceptionUrls([])('http://mail.internal/'), false)
    assert.equal(openExceptionUrls(['http://a.test/', 'http://b.test/'])('http://b.test/'), true)
  })
})
