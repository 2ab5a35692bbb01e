/** Why there is no TLS, in words that are read after the server's name: what it did, and what to change. */
import type { TlsSignal } from './smtp-signal.ts'

const URI = 'courier.smtp.connection_uri'
const SKIP = `set ?skip_ssl_verify=true in ${URI} to send without checking it`
const TRUST = `install one of a known authority there, or name the file of its authority in NODE_EXTRA_CA_CERTS, or ${SKIP}`
const CLIENT_CERTIFICATE = 'courier.smtp.client_cert_path and client_key_path'

type Words = string | ((signal: TlsSignal) => string)

/** The first that fits Node's code. */
const PROBLEMS: readonly (readonly [code: RegExp, words: Words])[] = [
  [
    /^NOT_OFFERED$/,
    `does not offer STARTTLS: use smtps:// for a port with TLS from the start, or ?disable_starttls=true to send in clear, in ${URI}`,
  ],
  [/^INJECTED$/, 'sent bytes between STARTTLS and TLS: someone may be tampering with the connection'],
  [/^DEPTH_ZERO_SELF_SIGNED/, `has a self-signed certificate, signed by nobody this machine trusts: ${TRUST}`],
  [
    /^UNABLE_TO_VERIFY_LEAF/,
    `has a certificate signed by nobody this machine trusts, or sends it without the intermediate ones: ${TRUST}`,
  ],
  [/^(SELF_SIGNED_CERT|UNABLE_TO_GET)/, `has a certificate signed by nobody this machine trusts: ${TRUST}`],
  [/^CERT_HAS_EXPIRED$/, expired],
  [/^CERT_NOT_YET_VALID$/, notYetValid],
  [/^ERR_TLS_CERT_ALTNAME/, wrongName],
  [/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_TOO|UNEXPECTED_MESSAGE/, noTls],
  [
    /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/,
    'speaks no TLS of version 1.2 or later: switch it on there, or update the server',
  ],
  [/CERTIFICATE_REQUIRED/, `asks for a client certificate: set ${CLIENT_CERTIFICATE}`],
  [
    /ALERT_(BAD_CERTIFICATE|UNSUPPORTED_CERT|CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED|DECRYPT)/,
    `does not take our client certificate: check ${CLIENT_CERTIFICATE}, and which authorities it knows`,
  ],
  [
    /HANDSHAKE_FAILURE/,
    `broke off the handshake: it has no cipher of TLS 1.2 or later that we have, or it asks for a client certificate (${CLIENT_CERTIFICATE})`,
  ],
]

export function describeTls(signal: TlsSignal): string {
  const words = PROBLEMS.find(([code]) => code.test(signal.code))?.[1]
  if (words === undefined) return `failed to agree on TLS (${signal.code}): it must speak TLS 1.2 or later`
  return typeof words === 'string' ? words : words(signal)
}

/** The one that expired may also be one between the server's and the authority's. */
function expired({ certificate }: TlsSignal): string {
  const what =
    certificate?.expiredOn === undefined
      ? 'sends an expired certificate in its chain'
      : `has a certificate that expired on ${certificate.expiredOn}`
  return `${what}: renew it there; until then ${SKIP}`
}

function notYetValid({ certificate }: TlsSignal): string {
  const from = certificate?.validFrom === undefined ? 'yet' : `before ${certificate.validFrom}`
  return `has a certificate that is not valid ${from}: check the clocks of both machines`
}

function wrongName({ certificate, host, expected }: TlsSignal): string {
  const names = certificate?.names ?? []
  const what = `has a certificate for ${names.length === 0 ? 'no name' : names.join(', ')}, not for ${expected}`
  // A wildcard is good for a name, and is none.
  const name = names.find((candidate) => !candidate.includes('*') && !candidate.includes(':'))
  if (name === host) return `${what}: take server_name out of ${URI}`
  if (name !== undefined) return `${what}: set ?server_name=${name} in ${URI}, or connect to that name`
  if (names.length === 0) return `${what}: install one that names ${expected} there, or ${SKIP}`
  return `${what}: set ?server_name= in ${URI} to a name that it covers, or connect to such a name`
}

function noTls({ security }: TlsSignal): string {
  return security === 'tls'
    ? `does not speak TLS from the start: use smtp:// instead of smtps://, or the port that does (465), in ${URI}`
    : `accepts STARTTLS and then does not speak TLS: mend it there, or use smtps:// with the port of TLS from the start, in ${URI}`
}
