import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  NO_PARTS,
  parseMailUri,
  printMailUri,
  SECURITY,
  type Security,
  withSecurity,
} from '../../../../../../services/console/page/views/configuration/mail-uri.ts'

const URIS: Readonly<Record<Security, string>> = {
  starttls: 'smtp://user:word@mail.example.org:587/',
  starttls_unverified: 'smtp://user:word@mail.example.org:587/?skip_ssl_verify=true',
  cleartext: 'smtp://user:word@mail.example.org:1025/?disable_starttls=true',
  tls: 'smtps://user:word@mail.example.org:465/',
  tls_unverified: 'smtps://user:word@mail.example.org:465/?skip_ssl_verify=true',
  tls_named: 'smtps://user:word@mx.mail.example.org:1234/?server_name=mail.example.org',
}

describe('parseMailUri', () => {
  for (const [security, uri] of Object.entries(URIS))
    it(`tells ${security} from the URI and prints it the same`, () => {
      const parts = parseMailUri(uri)
      assert.equal(parts?.security, security)
      assert.equal(printMailUri(parts), uri)
    })

  it('decodes user and password, whatever characters they have', () => {
    const parts = parseMailUri('smtp://some%40mg.example.org:p%2Fa%3As%40s@smtp.mailgun.org:587')
    assert.deepEqual([parts?.user, parts?.password], ['some@mg.example.org', 'p/a:s@s'])
    assert.equal(printMailUri(parts!), 'smtp://some%40mg.example.org:p%2Fa%3As%40s@smtp.mailgun.org:587/')
  })

  it('keeps the mask of a stored password as it is, so that the API puts the secret back', () => {
    const masked = 'smtp://user:********@mail.example.org:587/'
    assert.equal(printMailUri(parseMailUri(masked)!), masked)
  })

  it('keeps options that no field shows', () => {
    const uri = 'smtp://mail.example.org:587/?skip_ssl_verify=true&legacy_ssl=true&server_name=a'
    assert.equal(printMailUri(parseMailUri(uri)!), uri)
  })

  it('reads an IPv6 host with its port', () => {
    const parts = parseMailUri('smtp://[2001:db8::1]:2525/')
    assert.deepEqual([parts?.host, parts?.port], ['[2001:db8::1]', '2525'])
  })

  it('takes nothing for an empty form, and what it cannot read for none', () => {
    assert.deepEqual(parseMailUri(''), NO_PARTS)
    assert.equal(parseMailUri('********'), undefined)
  })
})

describe('printMailUri', () => {
  it('gives nothing for an empty form, whatever its security', () => {
    for (const security of Object.keys(SECURITY) as Security[])
      assert.equal(printMailUri({ ...NO_PARTS, port: '587', security }), '')
  })
})

describe('withSecurity', () => {
  it('moves the usual port along, and leaves any other', () => {
    const parts = { ...NO_PARTS, host: 'mail.example.org', port: '587' }
    assert.equal(withSecurity(parts, 'tls').port, '465')
    assert.equal(withSecurity({ ...parts, port: '2525' }, 'tls').port, '2525')
  })
})
