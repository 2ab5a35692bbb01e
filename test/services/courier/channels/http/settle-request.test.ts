import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isCoded } from '#libs/errors'
import type { RequestConfig } from '../../../../../services/courier/channels/http/http-options.ts'
import { settleRequest } from '../../../../../services/courier/channels/http/settle-request.ts'

const CONFIG: RequestConfig = { url: 'https://mail.example.org/send', method: 'POST', headers: {} }

function headersOf(config: Partial<RequestConfig>): Record<string, string> {
  const { headers } = settleRequest({ ...CONFIG, ...config }, 'x')
  return Object.fromEntries(headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? '']] : [])))
}

describe('settleRequest', () => {
  it('is JSON by POST unless something else is said', () => {
    const { method, format, place, port } = settleRequest({ ...CONFIG, method: '' }, 'x')
    assert.deepEqual([method, format, place, port], ['POST', 'json', 'mail.example.org', 443])
    assert.deepEqual(headersOf({}), { 'User-Agent': 'Postrider', 'Content-Type': 'application/json' })
  })

  it('lets the configuration replace its own headers, in any case', () => {
    const headers = { 'user-agent': 'mine', 'content-type': 'application/x-www-form-urlencoded' }
    assert.deepEqual(headersOf({ headers }), headers)
    assert.equal(settleRequest({ ...CONFIG, headers }, 'x').format, 'form')
  })

  it('takes credentials of the URL unless others are configured', () => {
    assert.equal(
      headersOf({ url: 'http://me:100%@host/' }).Authorization,
      `Basic ${Buffer.from('me:100%').toString('base64')}`,
    )
    const headers = { Authorization: 'Bearer x' }
    assert.equal(headersOf({ url: 'http://me:1@host/', headers }).Authorization, 'Bearer x')
  })

  it('quotes a cookie with blanks as Go does', () => {
    const auth = { type: 'api_key', config: { name: 'key', value: 'a b', in: 'cookie' } } as const
    assert.equal(headersOf({ auth }).Cookie, 'key="a b"')
  })

  const refused: [key: string, config: Partial<RequestConfig>][] = [
    ['url', { url: '' }],
    ['url', { url: 'http://' }],
    ['url', { url: 'ftp://host/' }],
    ['method', { method: 'CONNECT' }],
    ['method', { method: 'PO ST' }],
    ['headers.Content-Type', { headers: { 'Content-Type': 'application/json; charset=utf-8' } }],
    ['headers.Content-Type', { headers: { 'content-type': 'text/plain' } }],
    ['headers.Content-Length', { headers: { 'Content-Length': '5' } }],
    ['headers.transfer-encoding', { headers: { 'transfer-encoding': 'chunked' } }],
    ['headers', { headers: { 'bad name': 's3cret' } }],
    ['headers.X-Key', { headers: { 'X-Key': 's3cret\r\nX-Other: 1' } }],
    ['body', { body: 'base64://s3cret_' }],
    ['auth.config', { auth: { type: 'api_key', config: { name: 'X', value: 's3cret\n', in: 'header' } } }],
    ['auth.config', { auth: { type: 'api_key', config: { name: 'X', value: 's3cret;', in: 'cookie' } } }],
    ['auth.config', { auth: { type: 'api_key', config: { name: 'X Y', value: 's3cret', in: 'cookie' } } }],
  ]
  for (const [key, config] of refused) {
    it(`refuses ${JSON.stringify(config)}, naming ${key} and no value`, () => {
      assert.throws(
        () => settleRequest({ ...CONFIG, ...config }, 'courier.http.request_config'),
        (error) =>
          isCoded(error, 'CONFIG_INVALID') &&
          error.message.startsWith(`courier.http.request_config.${key}: `) &&
          !error.message.includes('s3cret'),
      )
    })
  }

  it('needs no format where there is no body', () => {
    assert.equal(
      settleRequest({ ...CONFIG, method: 'TRACE', headers: { 'Content-Type': 'text/plain' } }, 'x').format,
      'none',
    )
  })
})
