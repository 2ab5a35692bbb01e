import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isCoded } from '#libs/errors'
import { recipientDomain, validateRecipient } from '#libs/messages'

/** Ordinary letters with anything between them. */
const noise = fc.string({
  unit: fc.oneof(fc.constantFrom(...'ab.-\t\r\n <>,:\\"/#'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
  maxLength: 12,
})

describe('validateRecipient', () => {
  for (const address of [
    'ada@example.org',
    'user+tag@b.co',
    "o'neil@example.org",
    'a..b.@example.org',
    'jürgen@exämple.de',
    'x@localhost',
  ]) {
    it(`takes ${address}`, () => validateRecipient('email', address))
  }

  const refused = [
    '',
    '@example.org',
    'ada@',
    'ada',
    'a@b@example.org',
    'a b@example.org',
    'a@b.com, evil@example.org',
    'a@b.com\r\nRCPT TO:<evil@example.org>',
    '"victim@b.com" <evil@example.org>',
    'g:evil@example.org;',
    `${'x'.repeat(65)}@example.org`,
    'ada@exa mple.org',
    'ada@-example.org',
    'ada@[127.0.0.1]',
    'a(comment)@example.org',
    'ada@ex.com\r\nRSET',
    'ada@exa\tmple.org',
    'ada@example.org\n',
    'ada@example.org/x',
    'ada@example.org#x',
  ]
  for (const address of refused) {
    it(`refuses ${JSON.stringify(address)} without repeating it`, () => {
      assert.throws(
        () => validateRecipient('email', address),
        (error) => isCoded(error, 'RECIPIENT_INVALID') && (address.length < 20 || !error.message.includes(address)),
      )
    })
  }

  it('never lets a character through that ends a command or an address, before or behind the @', () => {
    fc.assert(
      fc.property(noise, noise, fc.boolean(), (local, domain, isMail) => {
        const text = isMail ? `a${local}@b${domain}.example` : local + domain
        try {
          validateRecipient('email', text)
        } catch {
          return
        }
        assert.doesNotMatch(text, /[\s<>(),;:\\"\p{C}]/u)
      }),
      { numRuns: 2_000 },
    )
  })

  it('takes phone numbers in E.164 only for SMS', () => {
    validateRecipient('sms', '+4930901820')
    for (const number of ['030901820', '+0123456', '+49 30 901820', 'ada@example.org']) {
      assert.throws(
        () => validateRecipient('sms', number),
        (error) => isCoded(error, 'RECIPIENT_INVALID'),
      )
    }
  })
})

describe('recipientDomain', () => {
  it('is ASCII and lower case', () => {
    assert.equal(recipientDomain('Ada@EXÄMPLE.de'), 'xn--exmple-cua.de')
  })
})
