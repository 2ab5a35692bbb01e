import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isCoded } from '#libs/errors'
import { identifierOf, parseAddress, parseTraits } from '../../../services/identity/traits.ts'

describe('parseTraits', () => {
  it('keeps address and name, with the domain in lower case', () => {
    assert.deepEqual(parseTraits({ email: 'Ada@EXAMPLE.org', name: 'Ada Lovelace' }), {
      email: 'Ada@example.org',
      name: 'Ada Lovelace',
    })
    assert.deepEqual(parseTraits({ email: 'ada@example.org' }), { email: 'ada@example.org' })
    assert.equal(parseTraits({ email: 'ada@example.org', name: '💌'.repeat(200) }).name?.length, 400)
  })

  const refused: [string, unknown, RegExp][] = [
    ['nothing', undefined, /^traits: /],
    ['an array', [], /^traits: /],
    ['a trait that is not known', { email: 'ada@example.org', nickname: 'a' }, /^traits\.nickname: /],
    ['an address that is no text', { email: 7 }, /^traits\.email: /],
    ['an empty name', { email: 'ada@example.org', name: '' }, /^traits\.name: /],
    ['a name of 201 characters', { email: 'ada@example.org', name: 'x'.repeat(201) }, /^traits\.name: /],
    ['a name that is no text', { email: 'ada@example.org', name: {} }, /^traits\.name: /],
    ['a name with U+0000', { email: 'ada@example.org', name: 'a\u0000' }, /^traits\.name: /],
    ['a name with a line break', { email: 'ada@example.org', name: 'a\nb' }, /^traits\.name: /],
    ['a name with half a surrogate pair', { email: 'ada@example.org', name: 'a\ud800' }, /^traits\.name: /],
  ]
  for (const [what, given, message] of refused) {
    it(`refuses ${what}, naming the field`, () => {
      assert.throws(
        () => parseTraits(given),
        (error) => isCoded(error, 'REQUEST_INVALID') && message.test(error.message),
      )
    })
  }
})

describe('parseAddress', () => {
  const refused = [
    '',
    'zoe',
    ' zoe@wonder.example',
    'zoe@wonder.example ',
    'z oe@wonder.example',
    'zoe@wonder.example\r\nDATA',
    'zoe@wonder.example\n',
    'zoe@wonder.example\t',
    'zoe@wonder.example/x',
    'zoe@wonder.example?x',
    'zoe@wonder.example#x',
    'zoe@wonder.example\\x',
    'zoe@bob@wonder.example',
    '@wonder.example',
    'zoe@',
    `${'a'.repeat(65)}@example.org`,
    '<zoe@wonder.example>',
    'zoe@wonder.example,bob@example.org',
  ]
  for (const address of refused) {
    it(`refuses ${JSON.stringify(address)} without repeating it`, () => {
      assert.throws(
        () => parseAddress(address, 'identifier'),
        (error) =>
          isCoded(error, 'RECIPIENT_INVALID') &&
          error.message.startsWith('identifier: ') &&
          !error.message.includes('wonder'),
      )
    })
  }

  it('takes international addresses', () => {
    assert.equal(parseAddress('jörg@BÜCHER.example', 'identifier'), 'jörg@bücher.example')
  })
})

describe('identifierOf', () => {
  for (const [one, other] of [
    ['Ada@example.org', 'ada@example.org'],
    ['ada@bücher.example', 'ADA@xn--bcher-kva.example'],
    ['jo\u0308rg@example.org', 'JÖRG@example.org'],
  ] as const) {
    it(`is the same for ${one} and ${other}`, () => assert.equal(identifierOf(one), identifierOf(other)))
  }

  it('keeps different mailboxes apart', () => {
    assert.notEqual(identifierOf('ada+a@example.org'), identifierOf('ada@example.org'))
    assert.notEqual(identifierOf('ada@example.org'), identifierOf('ada@example.net'))
  })
})
