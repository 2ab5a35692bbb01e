import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isCoded } from '#libs/errors'
import { DEFAULT_PROJECT_ID, openSealer } from '#libs/messages'
import { openPageTokens } from '../../../services/console/page-tokens.ts'

const CURSOR = { createdAt: '2026-01-02 03:04:05.678901+00', id: '019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f' }
const HOUR = 3_600_000

describe('openPageTokens', () => {
  const sealer = openSealer(['a secret of the page tokens'])
  let nowMs = 1_000_000
  const tokens = openPageTokens(sealer, () => nowMs)

  it('gives back where a page begins, and says nothing itself', () => {
    const token = tokens.encode(CURSOR)
    assert.deepEqual(tokens.decode(token), CURSOR)
    assert.match(token, /^[A-Za-z0-9_-]+$/)
    assert.ok(!Buffer.from(token, 'base64url').toString('latin1').includes(CURSOR.id))
    assert.equal(tokens.decode(tokens.encode(undefined)), undefined)
  })

  it('refuses a token after an hour', () => {
    const token = tokens.encode(CURSOR)
    nowMs += HOUR + 1
    assert.throws(
      () => tokens.decode(token),
      (error) => isCoded(error, 'PAGE_TOKEN_EXPIRED'),
    )
  })

  it('seals with the newest secret and opens with all of them', () => {
    const [older, newer] = ['an older secret of pages', 'a newer secret of pages']
    const rotated = openPageTokens(openSealer([newer, older]))
    assert.deepEqual(rotated.decode(openPageTokens(openSealer([older])).encode(CURSOR)), CURSOR)
    assert.deepEqual(openPageTokens(openSealer([newer])).decode(rotated.encode(CURSOR)), CURSOR)
  })

  for (const [what, token] of [
    ['a made-up one', 'abc'],
    ['one of another secret', openPageTokens(openSealer(['another secret of the tests'])).encode(CURSOR)],
    ['something else that was sealed', sealer.seal(DEFAULT_PROJECT_ID, 'x', { recipient: 'ada@example.org' })],
    [
      'something else that was sealed, written as a token is',
      Buffer.from(sealer.seal(DEFAULT_PROJECT_ID, 'page', { expires: 9e15, after: CURSOR })).toString('base64url'),
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => tokens.decode(token),
        (error) => isCoded(error, 'PAGE_TOKEN_INVALID'),
      )
    })
  }
})
