import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { senderName } from '../../../services/courier/sender-name.ts'

describe('senderName', () => {
  const cases: [what: string, name: string, expected: string][] = [
    ['the project', 'Bücher & Co', 'Bücher & Co via Postrider'],
    ['without line ends', 'Shop\r\nBcc: eve@example.net', 'Shop Bcc: eve@example.net via Postrider'],
    ['without marks that turn the text', 'Shop\u202emoc', 'Shop moc via Postrider'],
    ['with emoji', '👩‍👧 shop', '👩‍👧 shop via Postrider'],
    ['the system where nothing is left', ' \u0000\n', 'Postrider'],
    ['the start of what is too long', 'x'.repeat(5_000), `${'x'.repeat(100)} via Postrider`],
  ]
  for (const [what, name, expected] of cases) {
    it(`names ${what}`, () => {
      assert.equal(senderName(name), expected)
    })
  }
})
