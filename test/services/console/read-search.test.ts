import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readSearch } from '../../../services/console/read-search.ts'

const term = (column: string, ...anyOf: (string | number)[]) => ({ terms: [{ column, anyOf }] })

describe('readSearch', () => {
  for (const [text, expected] of [
    ['ada@example.org', { recipient: 'ada@example.org' }],
    ['+4930901820', { recipient: '+4930901820' }],
    ['4930901820', { recipient: '+4930901820', ...term('provider_message_id', '4930901820') }],
    ['019A1F2E-7C3B-7D11-8A52-0B8F1C2D3E4F', term('id', '019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f')],
    ['0AF7651916CD43DD8448EB211C80319C', term('trace_id', '0af7651916cd43dd8448eb211c80319c')],
    ['4XyZ9k2Lm', term('provider_message_id', '4XyZ9k2Lm')],
    ['<a@provider.example>', term('provider_message_id', '<a@provider.example>')],
    ['550', term('reply_code', 550)],
    ['5.1.1', term('enhanced_code', '5.1.1')],
    ['code:451', term('reply_code', 451)],
    ['code:4.7.1', term('enhanced_code', '4.7.1')],
    ['STATE:deferred', term('state', 'deferred')],
    ['status:processing', term('state', 'held')],
    ['domain:Example.ORG', term('recipient_domain', 'example.org')],
    ['class:network', term('failure_class', 'network')],
    ['project:shop', { project: 'shop' }],
    ['template:login', term('template_type', 'login_code_valid')],
    ['template:own', term('template_type', 'own')],
    ['to:ada@example.org', { recipient: 'ada@example.org' }],
    ['deferred', term('state', 'deferred')],
    ['processing', term('state', 'held')],
    ['Network', term('failure_class', 'network')],
    [
      'expired',
      {
        terms: [
          { column: 'state', anyOf: ['expired'] },
          { column: 'failure_class', anyOf: ['expired'] },
        ],
      },
    ],
  ] as const) {
    it(`knows ${text} by its look`, () => assert.deepEqual(readSearch(text), [expected]))
  }

  it('wants all words, in any order and spacing', () => {
    assert.deepEqual(readSearch('  deferred   code:451 '), [term('state', 'deferred'), term('reply_code', 451)])
    assert.deepEqual(readSearch(' '), [])
  })

  for (const [text, problem] of [
    ['state:lost', /^q: state: expected one of queued, /],
    ['colour:red', /^q: found colour:, expected one of state: /],
    ['__proto__:x', /^q: found __proto__:, expected one of state: /],
    ['constructor:x', /^q: found constructor:, expected one of state: /],
    ['code:abc', /^q: code: expected such as 550 or 5\.1\.1/],
    ['domain:', /^q: domain: expected a value/],
    ['id:7', /^q: id: expected a UUID/],
    ['x '.repeat(21), /^q: expected at most 20 words/],
    ['x'.repeat(501), /^q: expected at most 500 characters/],
  ] as const) {
    it(`refuses ${text.slice(0, 20)} and names q`, () => assert.throws(() => readSearch(text), { message: problem }))
  }
})
