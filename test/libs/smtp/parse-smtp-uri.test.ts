import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isCoded } from '#libs/errors'
import { parseSmtpUri } from '../../../libs/smtp/parse-smtp-uri.ts'

const START = { host: 'h', port: 587, security: 'starttls', verify: true }
const LOGIN = { user: 'u', password: 'p' }

/** The six forms of Ory's guide, then how Go reads escapes, then defaults. */
const READ: readonly (readonly [uri: string, target: object])[] = [
  ['smtp://u:p@h:587/', { ...START, ...LOGIN }],
  ['smtp://u:p@h:587/?skip_ssl_verify=true', { ...START, ...LOGIN, verify: false }],
  ['smtp://u:p@h:587/?disable_starttls=true', { ...START, ...LOGIN, security: 'cleartext' }],
  ['smtps://u:p@h:465/', { ...START, ...LOGIN, port: 465, security: 'tls' }],
  ['smtps://u:p@h:465/?skip_ssl_verify=true', { ...START, ...LOGIN, port: 465, security: 'tls', verify: false }],
  [
    'smtps://u:p@sub.h:465/?server_name=h.example',
    { ...LOGIN, host: 'sub.h', port: 465, security: 'tls', verify: true, serverName: 'h.example' },
  ],
  ['smtp://u:p@h:587/?server_name=h.example', { ...START, ...LOGIN, serverName: 'h.example' }],
  ['smtp://user%40mg.example.org:p%2Fw@h:587/', { ...START, user: 'user@mg.example.org', password: 'p/w' }],
  ['smtp://u:p:q@h:587/', { ...START, user: 'u', password: 'p:q' }],
  ['smtp://u:p@ss@h:587/', { ...START, user: 'u', password: 'p@ss' }],
  ['smtp://u:b+c@h:587/', { ...START, user: 'u', password: 'b+c' }],
  ['smtp://u:b$c@h:587/', { ...START, user: 'u', password: 'b$c' }],
  ['smtp://u:%C3%BC%23@h:587', { ...START, user: 'u', password: 'ü#' }],
  ['smtp://u@h', { ...START, user: 'u', password: '' }],
  ['SMTPS://h', { ...START, port: 465, security: 'tls' }],
  ['smtp://h', START],
  ['smtp://h:/', START],
  ['smtp://h/?disable_starttls=true', { ...START, port: 25, security: 'cleartext' }],
  ['smtp://u:p@h/?disable_starttls=T', { ...START, ...LOGIN, security: 'cleartext' }],
  ['smtp://h/?disable_starttls=yes&skip_ssl_verify=0', START],
  ['smtp://h/?legacy_ssl=true', START],
  ['smtps://h/?disable_starttls=true', { ...START, port: 465, security: 'tls' }],
  ['smtp://[::1]:2525/', { ...START, host: '::1', port: 2525 }],
  ['smtp://mail.bücher.example', { ...START, host: 'mail.xn--bcher-kva.example' }],
  ['smtp://127.0.0.1:4425/?disable_starttls=1', { ...START, host: '127.0.0.1', port: 4425, security: 'cleartext' }],
]

const REFUSED: readonly (readonly [uri: string, why: RegExp])[] = [
  ['', /connection_uri is missing/],
  ['http://h:25', /smtp:\/\/ or smtps:\/\//],
  ['hunter2', /smtp:\/\/ or smtps:\/\//],
  ['smtp:u:hunter2@h', /smtp:\/\/ or smtps:\/\//],
  ['smtp://u:hunter2/word@h:587', /percent-encode/],
  ['smtp://user%name:hunter2@h:587', /write % as %25/],
  ['smtp://u:hunter2#x@h:25/', /percent-encode/],
  ['smtp://a/a:hunter2@h:587', /percent-encode/],
  ['smtp://user?name:hunter2@h:587/', /percent-encode/],
  ['smtp://u:hunter2"x@h:25', /must be escaped/],
  ['smtp://:hunter2@h:25', /password but no user/],
  ['smtp://u:hunter2%00@h:25', /NUL/],
  ['smtp://u:hunter2@h:0', /port from 1 to 65535/],
  ['smtp://u:hunter2@h:99999', /port from 1 to 65535/],
  ['smtp://u:hunter2@h:abc', /number as port/],
  ['smtp://u:hunter2@', /no host/],
  ['smtp://u:hunter2@[::zz]:25', /IPv6/],
  ['smtp://u:hunter2@h%2Fx:25', /host/],
  ['smtp://u:hunter2@h:25/path', /percent-encode/],
  ['smtp://u:hunter2@h:25/ ', /space/],
  ['smtp://u:hunter2@h:25/\r\n', /space, a line end/],
  ['smtp://u:hunter2@h:25/?server_name=a/b', /server_name/],
]

describe('parseSmtpUri', () => {
  for (const [uri, target] of READ) {
    it(`reads ${uri}`, () => assert.deepEqual(parseSmtpUri(uri), target))
  }

  for (const [uri, why] of REFUSED) {
    it(`refuses ${JSON.stringify(uri)} and does not repeat it`, () => {
      assert.throws(
        () => parseSmtpUri(uri),
        (error: Error) => {
          assert.ok(isCoded(error, 'SMTP_URI_INVALID'))
          assert.match(error.message, why)
          assert.doesNotMatch(error.message, /hunter2/)
          return true
        },
      )
    })
  }

  it('gives back any user and password that were percent-encoded', () => {
    const part = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .filter((text) => !text.includes('\0') && text.isWellFormed())
    fc.assert(
      fc.property(part, part, (user, password) => {
        const target = parseSmtpUri(`smtp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h`)
        assert.deepEqual([target.user, target.password], [user, password])
      }),
    )
  })

  it('answers anything else with an error of its own', () => {
    fc.assert(
      fc.property(fc.string(), (rest) => {
        try {
          parseSmtpUri(`smtp://${rest}`)
        } catch (error) {
          assert.ok(isCoded(error, 'SMTP_URI_INVALID'), String(error))
        }
      }),
    )
  })
})
