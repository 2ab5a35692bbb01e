import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { preferredLanguage } from '../../../services/identity/user-request.ts'

describe('preferredLanguage', () => {
  const cases: [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ['', undefined],
    ['*', undefined],
    ['de', 'de'],
    ['de-CH', 'de-CH'],
    ['fr;q=0.8, de;q=0.9, en', 'en'],
    ['fr;q=0.8, de;q=0.9', 'de'],
    ['de;q=0, fr;q=0.1', 'fr'],
    ['*;q=1, pt-BR;q=0.4', 'pt-BR'],
    ['de;q=abc, fr;q=0.2', 'fr'],
    ['../../etc, en', 'en'],
    [`${'a-'.repeat(40)}b`, undefined],
  ]
  for (const [header, language] of cases) {
    it(`finds ${language} in ${JSON.stringify(header)}`, () => assert.equal(preferredLanguage(header), language))
  }
})
