/** What a channel over SMTP needs, with the defaults of everything that tests and odd servers may want otherwise. */
import { CodedError } from '#libs/errors'
import { type AddressGuard, openGuard } from '#libs/resources'
import type { SmtpTarget } from '#libs/smtp'
import { type ClientCertificate, loadClientCertificate } from './client-certificate.ts'
import type { TlsExtras } from './dial.ts'
import { envelopeOf } from './envelope.ts'

/**
 * Per command. RFC 5321 4.5.3.2 asks for minutes, meant for transfer between strangers; a relay of one's own answers in seconds or not at
 * all. The dot is the exception: giving up on it too early makes duplicates.
 */
export interface SmtpTimeouts {
  readonly connectMs: number
  readonly greetingMs: number
  /** EHLO, STARTTLS, AUTH. */
  readonly sessionMs: number
  /** MAIL, RCPT. */
  readonly envelopeMs: number
  readonly dataMs: number
  /** Each block of the body. */
  readonly bodyMs: number
  readonly dotMs: number
}

export interface SmtpChannelOptions {
  readonly target: SmtpTarget
  readonly from: { readonly address: string; readonly name?: string }
  readonly headers: Readonly<Record<string, string>>
  /** What EHLO calls this host. */
  readonly localName: string
  readonly maxConnections: number
  readonly maxMessagesPerConnection?: number
  readonly maxConnectionAgeMs?: number
  readonly idleMs?: number
  /** How long `close` waits for mails under way. */
  readonly drainMs?: number
  readonly timeouts?: Partial<SmtpTimeouts>
  readonly tls?: TlsExtras
  /** Shown to servers that ask for one; read once, when the channel is opened. */
  readonly clientCert?: ClientCertificate
  /** Where connections may go: anywhere unless given. */
  readonly guard?: AddressGuard
}

export type SmtpSettings = Required<Omit<SmtpChannelOptions, 'timeouts' | 'clientCert'>> & {
  readonly timeouts: SmtpTimeouts
  /** `host:port`, for messages. */
  readonly place: string
}

const TIMEOUTS: SmtpTimeouts = {
  connectMs: 5_000,
  greetingMs: 10_000,
  sessionMs: 10_000,
  envelopeMs: 15_000,
  dataMs: 15_000,
  bodyMs: 30_000,
  dotMs: 60_000,
}

/** @throws CONFIG_INVALID */
export function settleOptions(options: SmtpChannelOptions): SmtpSettings {
  const { target, localName, clientCert, ...given } = options
  if (!/^[A-Za-z0-9._:[\]-]{1,255}$/.test(localName)) {
    throw new CodedError('CONFIG_INVALID', 'courier.smtp.local_name: expected a host name such as mail.example.org')
  }
  return {
    maxMessagesPerConnection: 1_000,
    maxConnectionAgeMs: 600_000,
    idleMs: 60_000,
    drainMs: 5_000,
    guard: openGuard({ disallowPrivate: false }),
    ...given,
    target,
    localName,
    tls: { ...given.tls, ...(clientCert && loadClientCertificate(clientCert)) },
    from: { ...options.from, address: senderAddress(options.from.address) },
    timeouts: { ...TIMEOUTS, ...options.timeouts },
    place: `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`,
  }
}

/** As it stands in MAIL and From: the domain in ASCII. */
function senderAddress(address: string): string {
  const sender = envelopeOf(address)
  const problem =
    'problem' in sender
      ? sender.problem.replace(/^recipient: /, '')
      : sender.needsUtf8
        ? 'expected only ASCII letters before the @'
        : undefined
  if (problem !== undefined) throw new CodedError('CONFIG_INVALID', `courier.smtp.from_address: ${problem}`)
  return 'address' in sender ? sender.address : address
}
