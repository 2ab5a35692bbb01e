import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chooseMain, mainsOf } from '../../../../libs/templates/custom/choose-main.ts'

const NAMES = ['', '.de', '.de-AT', '.pt_BR', '.zh-Hant', '.plaintext', '.plaintext.de', '.footer'].map(
  (middle) => `email.body${middle}.gotmpl`,
)
const FILES = Object.fromEntries(NAMES.map((name) => [name, '']))

describe('chooseMain', () => {
  const cases: [locale: string | undefined, name: string][] = [
    [undefined, 'email.body.gotmpl'],
    ['', 'email.body.gotmpl'],
    ['fr', 'email.body.gotmpl'],
    ['de', 'email.body.de.gotmpl'],
    ['de-DE', 'email.body.de.gotmpl'],
    ['de-AT', 'email.body.de-AT.gotmpl'],
    ['DE_at', 'email.body.de-AT.gotmpl'],
    ['pt-BR', 'email.body.pt_BR.gotmpl'],
    ['pt', 'email.body.gotmpl'],
    ['zh-Hant-TW', 'email.body.zh-Hant.gotmpl'],
    ['plaintext', 'email.body.gotmpl'],
    ['footer', 'email.body.gotmpl'],
    ['../../etc/passwd', 'email.body.gotmpl'],
    ['de.gotmpl', 'email.body.gotmpl'],
  ]
  for (const [locale, name] of cases) {
    it(`takes ${name} for ${locale}`, () => assert.equal(chooseMain(FILES, 'email.body', locale), name))
  }

  it('finds none where there is none', () => {
    assert.equal(chooseMain({ 'email.body.de.gotmpl': '' }, 'email.body', 'fr'), undefined)
    assert.equal(chooseMain({ 'email.body.de.gotmpl': '' }, 'email.body', 'de'), 'email.body.de.gotmpl')
  })
})

describe('mainsOf', () => {
  it('lists the files that some locale begins with, and no others', () => {
    assert.deepEqual(mainsOf(FILES, 'email.body'), NAMES.slice(0, 5))
    assert.deepEqual(mainsOf(FILES, 'email.body.plaintext'), NAMES.slice(5, 7))
  })
})
