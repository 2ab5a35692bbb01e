import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSameHash, newKey, parseToken, sha256 } from '../../../../services/console/keys/key-token.ts'

describe('newKey', () => {
  it('makes a token with a prefix to search for and 256 random bits, and keeps only their hash', () => {
    const { id, token, hash } = newKey()
    assert.match(token, /^pr_[0-9a-f]{12}_[0-9a-f]{64}$/)
    assert.deepEqual(parseToken(token), { id, hash })
    assert.deepEqual(hash, sha256(token.slice(-64)))
    assert.notEqual(newKey().token, token)
  })
})

describe('parseToken', () => {
  for (const text of [
    '',
    'pr_',
    'pr_0b8f1c2d3e4f_short',
    `xx_0b8f1c2d3e4f_${'a'.repeat(64)}`,
    `pr_0b8f1c2d3e4f_${'A'.repeat(64)}`,
  ]) {
    it(`knows that ${JSON.stringify(text.slice(0, 20))} is no key`, () => assert.equal(parseToken(text), undefined))
  }
})

describe('isSameHash', () => {
  it('tells hashes apart, of one length or not', () => {
    assert.ok(isSameHash(sha256('a'), sha256('a')))
    assert.ok(!isSameHash(sha256('a'), sha256('b')))
    assert.ok(!isSameHash(sha256('a'), Buffer.alloc(0)))
  })
})
