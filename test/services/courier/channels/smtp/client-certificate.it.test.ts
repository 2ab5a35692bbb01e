/** The certificate that we show: files right and wrong, and servers that ask for one. */
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { treatmentOf } from '#libs/delivery'
import { loadClientCertificate } from '../../../../../services/courier/channels/smtp/client-certificate.ts'
import { openAuthority } from './certificates.ts'
import { openChannel, openFixture } from './smtp-fixture.ts'

const AUTHORITY = openAuthority()
const OURS = AUTHORITY.issue('courier.example.org')
const OTHERS = openAuthority('Someone else').issue('courier.example.org')
const folder = mkdtempSync(join(tmpdir(), 'postrider-certificate-'))
after(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const cert = file('client.pem', OURS.cert)
const key = file('client.key', OURS.key)
const otherKey = file('other.key', OTHERS.key)
const text = file('notes.txt', 'not a certificate\n')
const protectedKey = file(
  'protected.key',
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hunter2' },
  }).privateKey,
)

const REFUSED: readonly (readonly [what: string, certPath: string, keyPath: string, message: RegExp])[] = [
  ['only a certificate', cert, '', /client_key_path: is missing: set it beside client_cert_path/],
  ['only a key', '', key, /client_cert_path: is missing: set it beside client_key_path/],
  ['a missing certificate', join(folder, 'nowhere'), key, /client_cert_path: ".*nowhere".*ENOENT.*put the file there/],
  ['a missing key', cert, join(folder, 'nowhere'), /client_key_path: .*ENOENT/],
  ['a folder', folder, key, /client_cert_path: .*EISDIR.*name the file/],
  ['a certificate that is no PEM', text, key, /client_cert_path: .*no certificate in PEM: convert it.*openssl x509/],
  ['a key that is no PEM', cert, text, /client_key_path: .*no private key in PEM: convert it.*openssl pkey/],
  [
    'the two swapped',
    key,
    cert,
    /client_cert_path: .*no certificate in PEM: it holds a key; are the two paths swapped/,
  ],
  ['the certificate twice', cert, cert, /client_key_path: .*no private key in PEM: it holds a certificate/],
  ['the key of another certificate', cert, otherKey, /client_key_path: .*not the key of the certificate/],
  ['a key with a passphrase', cert, protectedKey, /client_key_path: .*passphrase: .*openssl pkey/],
]

describe('loadClientCertificate', () => {
  it('reads a pair, and nothing where none is configured', () => {
    assert.deepEqual(loadClientCertificate({ certPath: cert, keyPath: key }), { cert: OURS.cert, key: OURS.key })
    assert.deepEqual(loadClientCertificate({ certPath: '', keyPath: '' }), {})
  })

  for (const [what, certPath, keyPath, message] of REFUSED) {
    it(`refuses ${what}, naming the setting and the remedy, and so does the channel`, () => {
      const refusal = { code: 'CONFIG_INVALID', message }
      assert.throws(() => loadClientCertificate({ certPath, keyPath }), refusal)
      assert.throws(() => openChannel('smtps://server/', { clientCert: { certPath, keyPath } }), refusal)
    })
  }
})

describe('openSmtpChannel with a server that asks for a certificate', () => {
  for (const [scheme, isImplicit] of [
    ['smtp', false],
    ['smtps', true],
  ] as const) {
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2'] as const) {
      const tls = { ...AUTHORITY.issue('localhost'), ca: AUTHORITY.cert, requestCert: true, isImplicit, maxVersion }
      const uri = `${scheme}://127.0.0.1:PORT/?server_name=localhost`
      const known = { tls: { ca: AUTHORITY.cert } }

      it(`sends by ${scheme}:// and ${maxVersion} with one`, async () => {
        const clientCert = { certPath: cert, keyPath: key }
        await using fixture = await openFixture({ tls }, { ...known, clientCert }, uri)
        const { outcome, peer } = await fixture.send('ada@example.org')
        assert.equal(outcome, 'accepted')
        assert.equal(peer?.tls, maxVersion)
      })

      it(`says by ${scheme}:// and ${maxVersion} that one is missing, and charges no message`, async () => {
        await using fixture = await openFixture({ tls }, known, uri)
        const { outcome, failure } = await fixture.send('ada@example.org')
        assert.equal(outcome, 'failed')
        assert.match(failure?.message ?? '', /ask(s)? for a client certificate.*courier\.smtp\.client_cert_path/)
        assert.equal(treatmentOf(failure!.class).charged, false)
        assert.equal(fixture.sink.mails.length, 0)
      })
    }
  }

  it('says that ours was not taken', async () => {
    const tls = { ...AUTHORITY.issue('localhost'), ca: AUTHORITY.cert, requestCert: true, isImplicit: true }
    const clientCert = { certPath: file('others.pem', OTHERS.cert), keyPath: otherKey }
    const options = { tls: { ca: AUTHORITY.cert }, clientCert }
    await using fixture = await openFixture({ tls }, options, 'smtps://127.0.0.1:PORT/?server_name=localhost')
    const { failure } = await fixture.send('ada@example.org')
    assert.match(failure?.message ?? '', /not take ours \(courier\.smtp\.client_cert_path\)/)
    assert.equal(treatmentOf(failure!.class).charged, false)
    assert.equal(fixture.sink.mails.length, 0)
  })
})
