import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { describeTls } from '../../../../../services/courier/channels/smtp/describe-tls.ts'
import type { TlsSignal } from '../../../../../services/courier/channels/smtp/smtp-signal.ts'

const WRONG_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID'

/** What handshakes in the table of mechanisms do not bring about. */
const CASES: readonly (readonly [code: string, more: Partial<TlsSignal>, words: RegExp])[] = [
  ['CERT_HAS_EXPIRED', {}, /^sends an expired certificate in its chain: renew it there/],
  ['CERT_HAS_EXPIRED', { certificate: { names: [] } }, /expired certificate in its chain/],
  [
    'CERT_NOT_YET_VALID',
    { certificate: { names: [], validFrom: '2031-01-01' } },
    /not valid before 2031-01-01.*clocks/,
  ],
  [WRONG_NAME, {}, /for no name, not for mail\.example: install one that names mail\.example there/],
  [WRONG_NAME, { certificate: { names: ['*.hoster.example'] } }, /for \*\.hoster\.example.*server_name= .*it covers/],
  [WRONG_NAME, { certificate: { names: ['*.h.example', 'h.example'] } }, /\?server_name=h\.example/],
  [WRONG_NAME, { certificate: { names: ['a.example'] }, host: 'a.example' }, /take server_name out/],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', {}, /signed by nobody this machine trusts: .*NODE_EXTRA_CA_CERTS/],
  ['SELF_SIGNED_CERT_IN_CHAIN', {}, /signed by nobody this machine trusts/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', {}, /from the start: use smtp:\/\//],
  ['ERR_SSL_WRONG_VERSION_NUMBER', { security: 'starttls' }, /accepts STARTTLS and then does not speak TLS/],
  ['ERR_SSL_UNSUPPORTED_PROTOCOL', {}, /no TLS of version 1\.2 or later/],
  ['ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE', {}, /no cipher.*client_cert_path/],
  ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', {}, /does not take our client certificate/],
  ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', {}, /does not take our client certificate/],
  ['ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED', {}, /does not take our client certificate/],
  ['ERR_SSL_SOMETHING_NEW', {}, /^failed to agree on TLS \(ERR_SSL_SOMETHING_NEW\)/],
]

describe('describeTls', () => {
  for (const [code, more, words] of CASES) {
    it(`says of ${code}${JSON.stringify(more)}: ${words.source}`, () => {
      const signal = {
        kind: 'tls',
        code,
        security: 'tls',
        host: 'mail.example',
        expected: 'mail.example',
        ...more,
      } as const
      assert.match(describeTls(signal), words)
    })
  }
})
