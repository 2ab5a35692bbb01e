import assert from 'node:assert/strict'
import { createHash, hkdfSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { compactDecrypt } from 'jose'
import { isCoded } from '#libs/errors'
import { DEFAULT_PROJECT_ID, openSealer } from '#libs/messages'

const ID = '0192f0c1-7d1a-7c3e-9b52-3f2d8a4b6c01'
const OLD = 'the-older-secret-of-the-team'
const NEW = 'the-newer-secret-of-the-team'

describe('openSealer', () => {
  it('opens what it sealed, whatever the content', () => {
    const sealer = openSealer([NEW])
    fc.assert(
      fc.property(fc.jsonValue(), (content) => {
        const opened = sealer.open(DEFAULT_PROJECT_ID, sealer.seal(DEFAULT_PROJECT_ID, ID, content))
        assert.deepEqual(opened, JSON.parse(JSON.stringify(content)))
      }),
    )
  })

  it('seals a JWE that another implementation opens with the derived key', async () => {
    const jwe = openSealer([NEW]).seal(DEFAULT_PROJECT_ID, ID, { recipient: 'ada@example.org' })
    const key = new Uint8Array(hkdfSync('sha256', NEW, DEFAULT_PROJECT_ID, 'postrider/seal/v1', 32))
    const { plaintext, protectedHeader } = await compactDecrypt(jwe, key)
    assert.deepEqual(JSON.parse(Buffer.from(plaintext).toString()), { recipient: 'ada@example.org' })
    const kid = createHash('sha256').update(NEW).digest('hex').slice(0, 8)
    assert.deepEqual(protectedHeader, { alg: 'dir', enc: 'A256GCM', kid, id: ID })
  })

  it('opens the published vector', () => {
    const vector = JSON.parse(readFileSync(new URL('./sealing-vector.json', import.meta.url), 'utf8'))
    assert.deepEqual(openSealer([vector.secret]).open(vector.project_id, vector.sealed), vector.content)
    assert.equal(openSealer([vector.secret]).hmac(vector.project_id, vector.content.recipient), vector.recipient_hmac)
  })

  it('opens with every known secret and seals with the newest', () => {
    const before = openSealer([OLD]).seal(DEFAULT_PROJECT_ID, ID, 'x')
    const rotated = openSealer([NEW, OLD])
    assert.equal(rotated.open(DEFAULT_PROJECT_ID, before), 'x')
    assert.throws(
      () => openSealer([OLD]).open(DEFAULT_PROJECT_ID, rotated.seal(DEFAULT_PROJECT_ID, ID, 'x')),
      (error) => isCoded(error, 'SEAL_UNKNOWN_KEY'),
    )
  })

  it('refuses what was altered or belongs to another project', () => {
    const sealer = openSealer([NEW])
    const jwe = sealer.seal(DEFAULT_PROJECT_ID, ID, { recipient: 'ada@example.org' })
    const parts = jwe.split('.')
    for (const part of [0, 2, 3, 4]) {
      const altered = parts.map((text, index) =>
        index === part ? (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`) : text,
      )
      assert.throws(
        () => sealer.open(DEFAULT_PROJECT_ID, altered.join('.')),
        (error) => isCoded(error, 'SEAL_BROKEN'),
        `part ${part}`,
      )
    }
    const other = '00000000-0000-7000-8000-000000000002'
    assert.throws(
      () => sealer.open(other, jwe),
      (error) => isCoded(error, 'SEAL_BROKEN'),
    )
  })

  it('never seals twice alike and never shows the content', () => {
    const sealer = openSealer([NEW])
    const sealed = Array.from({ length: 3_000 }, () => sealer.seal(DEFAULT_PROJECT_ID, ID, { code: '123456' }))
    assert.equal(new Set(sealed).size, sealed.length)
    assert.ok(sealed.every((jwe) => !Buffer.from(jwe.split('.')[3]!, 'base64url').includes('123456')))
  })

  it('hashes the same value alike within a project and unlike across projects and secrets', () => {
    const sealer = openSealer([NEW, OLD])
    const hash = sealer.hmac(DEFAULT_PROJECT_ID, 'ada@example.org')
    assert.match(hash, /^[0-9a-f]{8}\.[0-9a-f]{32}$/)
    assert.deepEqual(sealer.hmacs(DEFAULT_PROJECT_ID, 'ada@example.org'), [
      hash,
      openSealer([OLD]).hmac(DEFAULT_PROJECT_ID, 'ada@example.org'),
    ])
    assert.notEqual(sealer.hmac('00000000-0000-7000-8000-000000000002', 'ada@example.org'), hash)
  })

  it('refuses to work without a secret', () => {
    assert.throws(() => openSealer([]), /secrets\.cipher/)
  })
})
