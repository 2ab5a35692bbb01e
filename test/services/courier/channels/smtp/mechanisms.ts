/** What meets in the table of mechanisms: six URIs, and every kind of server. */
import type { SinkScript, SinkTls } from '../../../../support/smtp-sink.ts'
import { type Certificate, openAuthority, selfSigned } from './certificates.ts'

export interface Mechanism {
  readonly number: number
  readonly name: string
  /** As the guide writes it. */
  readonly uri: string
  readonly host: string
  /** What the certificate must carry. */
  readonly expected: string
}

export interface Server {
  readonly name: string
  readonly script: (mechanism: Mechanism) => SinkScript
  /** The mechanisms that get through. */
  readonly acceptedBy: readonly number[]
  /** What the others are told. */
  readonly says: { readonly smtp?: RegExp; readonly smtps?: RegExp }
  /** Whether it says nothing before the client does. */
  readonly isSilent?: (mechanism: Mechanism) => boolean
}

export const TRUSTED = openAuthority()
const UNKNOWN = openAuthority('Nobody')

const SERVER = { host: 'server', expected: 'server' }

export const MECHANISMS: readonly Mechanism[] = [
  {
    number: 1,
    name: 'StartTLS with certificate trust verification',
    uri: 'smtp://username:password@server:port/',
    ...SERVER,
  },
  {
    number: 2,
    name: 'StartTLS without certificate trust verification',
    uri: 'smtp://username:password@server:port/?skip_ssl_verify=true',
    ...SERVER,
  },
  {
    number: 3,
    name: 'Cleartext SMTP',
    uri: 'smtp://username:password@server:port/?disable_starttls=true',
    ...SERVER,
  },
  {
    number: 4,
    name: 'Implicit TLS with certificate trust verification',
    uri: 'smtps://username:password@server:port/',
    ...SERVER,
  },
  {
    number: 5,
    name: 'Implicit TLS without certificate trust verification',
    uri: 'smtps://username:password@server:port/?skip_ssl_verify=true',
    ...SERVER,
  },
  {
    number: 6,
    name: 'Implicit TLS with certificate verification against another name',
    uri: 'smtps://username:password@subdomain.my-mailserver.com:1234/?server_name=my-mailserver.com',
    host: 'subdomain.my-mailserver.com',
    expected: 'my-mailserver.com',
  },
]

const ALL = [1, 2, 3, 4, 5, 6]
const UNCHECKED = [2, 3, 5]
const auth = { user: 'username', password: 'password', mechanisms: ['PLAIN'] }

/** TLS from the start for smtps://, by STARTTLS for smtp://. */
function withTls(tlsOf: (mechanism: Mechanism) => SinkTls): Server['script'] {
  return (mechanism) => ({ auth, tls: { isImplicit: mechanism.uri.startsWith('smtps:'), ...tlsOf(mechanism) } })
}

function certified(certificateOf: (mechanism: Mechanism) => Certificate): Server['script'] {
  return withTls(certificateOf)
}

const UNTRUSTED = /signed by nobody this machine trusts.*NODE_EXTRA_CA_CERTS.*\?skip_ssl_verify=true/
const EXPIRED = /expired on 2020-01-02: renew it/
const OTHER_NAME =
  /certificate for other\.example, not for [a-z.-]+: set \?server_name=other\.example in .*, or connect to that name/
const NOT_FROM_THE_START = /does not speak TLS from the start: use smtp:\/\//
const TOO_OLD = /no TLS of version 1\.2 or later: switch it on there/

export const SERVERS: readonly Server[] = [
  {
    name: 'a trusted certificate with the right name',
    script: certified(({ expected }) => TRUSTED.issue(expected)),
    acceptedBy: ALL,
    says: {},
  },
  {
    name: 'a trusted certificate with the name of the host only',
    script: certified(({ host }) => TRUSTED.issue(host)),
    acceptedBy: [1, 2, 3, 4, 5],
    says: { smtps: /certificate for subdomain\.my-mailserver\.com, not for my-mailserver\.com: take server_name out/ },
  },
  {
    name: 'a trusted certificate with another name',
    script: certified(() => TRUSTED.issue('other.example')),
    acceptedBy: UNCHECKED,
    says: { smtp: OTHER_NAME, smtps: OTHER_NAME },
  },
  {
    name: 'a self-signed certificate',
    script: certified(({ expected }) => selfSigned(expected)),
    acceptedBy: UNCHECKED,
    says: { smtp: UNTRUSTED, smtps: UNTRUSTED },
  },
  {
    name: 'a certificate of an unknown authority',
    script: certified(({ expected }) => UNKNOWN.issue(expected)),
    acceptedBy: UNCHECKED,
    says: { smtp: UNTRUSTED, smtps: UNTRUSTED },
  },
  {
    name: 'an expired certificate',
    script: certified(({ expected }) =>
      TRUSTED.issue(expected, { from: Date.UTC(2019, 0, 2), to: Date.UTC(2020, 0, 2) }),
    ),
    acceptedBy: UNCHECKED,
    says: { smtp: EXPIRED, smtps: EXPIRED },
  },
  {
    name: 'TLS 1.0 only',
    script: withTls(({ expected }) => ({
      ...TRUSTED.issue(expected),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    })),
    acceptedBy: [3],
    says: { smtp: TOO_OLD, smtps: TOO_OLD },
  },
  {
    name: 'no TLS: STARTTLS not offered, and none on the port of smtps',
    script: () => ({ auth }),
    acceptedBy: [3],
    says: {
      smtp: /does not offer STARTTLS: use smtps:\/\/ .*disable_starttls=true/,
      smtps: NOT_FROM_THE_START,
    },
  },
  {
    name: 'STARTTLS, refused with 454',
    script: ({ expected }) => ({
      auth,
      tls: TRUSTED.issue(expected),
      answer: (command) => (command === 'STARTTLS' ? '454 4.7.0 TLS not available' : undefined),
    }),
    acceptedBy: [3],
    says: { smtp: /refused STARTTLS with 454 4\.7\.0: check the server's TLS/, smtps: NOT_FROM_THE_START },
  },
  {
    name: 'STARTTLS, accepted and then no TLS',
    script: ({ expected }) => ({ auth, tls: { ...TRUSTED.issue(expected), isBroken: true } }),
    acceptedBy: [3],
    says: { smtp: /accepts STARTTLS and then does not speak TLS: mend it there/, smtps: NOT_FROM_THE_START },
  },
  {
    name: 'TLS from the start only',
    script: ({ expected }) => ({ auth, tls: { ...TRUSTED.issue(expected), isImplicit: true } }),
    acceptedBy: [4, 5, 6],
    says: { smtp: /says nothing: .* TLS from the start, use smtps:\/\// },
    isSilent: ({ uri }) => uri.startsWith('smtp:'),
  },
]
