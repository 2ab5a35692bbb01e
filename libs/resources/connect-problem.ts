/** Why a connection did not come about, in words. */
import { AddressRefused } from './open-guard.ts'

export interface ConnectProblem {
  readonly kind: 'refused' | 'tls' | 'network'
  /** To be read after the name of the host. */
  readonly words: string
}

const TLS_CODE = /^(ERR_(SSL|TLS)_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO$)/

const TLS_WORDS: Record<string, string | undefined> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'has a self-signed certificate: install one of a known authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'has a certificate of an unknown authority: install one of a known authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'has a certificate of an unknown authority, or sends no intermediate certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'has a certificate of an unknown authority: install one of a known authority',
  CERT_HAS_EXPIRED: 'has an expired certificate: renew it',
  CERT_NOT_YET_VALID: 'has a certificate that is not valid yet: check the clocks',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'does not speak TLS on this port: use http://, or another port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'does not speak TLS on this port: use http://, or another port',
}

const UNREACHABLE = 'cannot be reached: check the network and the firewall between here and there'
const SILENT = 'does not answer: check the host, the port and the firewall between here and there'

const NETWORK_WORDS: Record<string, string | undefined> = {
  ECONNREFUSED: 'refused the connection: check that it runs, and the host and port',
  ENOTFOUND: 'cannot be found in DNS: check the host',
  EAI_AGAIN: 'cannot be looked up: the DNS server does not answer',
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ETIMEDOUT: SILENT,
  UND_ERR_CONNECT_TIMEOUT: SILENT,
}

export function connectProblem(error: unknown): ConnectProblem {
  if (error instanceof AddressRefused) return { kind: 'refused', words: `is out of bounds: ${error.message}` }
  const code = String((error as { readonly code?: unknown } | undefined)?.code ?? '')
  if (TLS_CODE.test(code)) {
    return { kind: 'tls', words: TLS_WORDS[code] ?? `failed to agree on TLS (${code}): it must speak TLS 1.2 or later` }
  }
  const words = NETWORK_WORDS[code] ?? `closed the connection${/^[A-Z_]+$/.test(code) ? ` (${code})` : ''}`
  return { kind: 'network', words }
}
