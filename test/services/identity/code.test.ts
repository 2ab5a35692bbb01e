import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openAddressHash, openCodes } from '../../../services/identity/code.ts'

const SECRET = 'a secret of the test, long enough'
const FLOW = '6a0f6f7e-58c6-4f0e-9f27-0f5b7a4f4a01'

describe('openCodes', () => {
  it('draws six digits, also below 100000', () => {
    const codes = openCodes([SECRET])
    const drawn = Array.from({ length: 2_000 }, () => codes.draw())
    assert.ok(drawn.every((code) => /^[0-9]{6}$/.test(code)))
    assert.ok(drawn.some((code) => code.startsWith('0')))
    assert.ok(new Set(drawn).size > 1_900)
  })

  it('matches its own code only, and only in its flow', () => {
    const codes = openCodes([SECRET])
    const hash = codes.hash(FLOW, '042137')
    assert.equal(hash.length, 32)
    assert.equal(codes.matches(FLOW, '042137', hash), true)
    assert.equal(codes.matches(FLOW, '042138', hash), false)
    assert.equal(codes.matches(FLOW, '', hash), false)
    assert.equal(codes.matches(FLOW.replace('6a', '6b'), '042137', hash), false)
  })

  it('still matches after a newer secret was put before the old one', () => {
    const hash = openCodes([SECRET]).hash(FLOW, '042137')
    assert.equal(openCodes(['a newer secret of the test', SECRET]).matches(FLOW, '042137', hash), true)
    assert.equal(openCodes(['a newer secret of the test']).matches(FLOW, '042137', hash), false)
  })
})

describe('openAddressHash', () => {
  it('is stable per address and differs between addresses and secrets', () => {
    const hash = openAddressHash([SECRET])
    assert.deepEqual(hash('ada@example.org'), openAddressHash([SECRET])('ada@example.org'))
    assert.notDeepEqual(hash('ada@example.org'), hash('bob@example.org'))
    assert.notDeepEqual(hash('ada@example.org'), openAddressHash(['a newer secret of the test'])('ada@example.org'))
  })
})
