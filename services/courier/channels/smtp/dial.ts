/** Opens sockets: TCP with address fallback and without Nagle's delay, and TLS over a socket that stands. */
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls'
import type { AddressGuard } from '#libs/resources'
import type { SmtpTarget } from '#libs/smtp'
import type { Stopwatch } from '../stopwatch.ts'
import { type ServerCertificate, serverCertificate } from './server-certificate.ts'

/** What TLS needs beyond the URI: a private authority, a certificate of our own. PEM. */
export interface TlsExtras {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
}

/** A dialled peer did not answer in time. */
export class DialTimeout extends Error {
  override readonly name = 'DialTimeout'
}

/** TLS did not come about; `cause` is a DialTimeout, or Node's own error with its code. */
export class Unsecured extends Error {
  override readonly name = 'Unsecured'
  /** Where the handshake came as far as that. */
  readonly certificate: ServerCertificate | undefined

  constructor(cause: unknown, certificate: PeerCertificate | undefined) {
    super('no TLS', { cause })
    this.certificate = certificate && serverCertificate(certificate)
  }
}

/** How to reach what is dialled. */
export interface DialWay {
  readonly guard: AddressGuard
  readonly timeoutMs: number
  /** Has the socket from its beginning until it is closed, so that whoever holds the set can end it in any phase. */
  readonly sockets: Set<Socket>
  /** Tells when the host is being looked up and when the connection is being opened. */
  readonly watch: Stopwatch
}

/** One address that drops packets must not use up the whole time while another would answer. */
const ADDRESS_TIMEOUT_MS = 1_000
/** Without it a peer that vanished is only noticed by the next mail's timeout. */
const KEEP_ALIVE_MS = 30_000

/**
 * Connects.
 * @throws AddressRefused, DialTimeout, or Node's own error with its code
 */
export async function dial({ host, port }: SmtpTarget, way: DialWay): Promise<Socket> {
  const { guard, timeoutMs, sockets, watch } = way
  const isLiteral = isIP(host) !== 0
  // An address is never looked up, so that the guard's lookup would not see it.
  if (isLiteral) guard.checkAddress(host)
  watch.begin(isLiteral ? 'tcp' : 'dns')
  const socket = connect({
    host,
    port,
    lookup: guard.lookup,
    // Header, body and dot would wait for the peer's delayed ACK: 45 ms per mail.
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_MS,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS,
  })
  // Told of each address that was found.
  socket.once('lookup', (error) => {
    if (!error) watch.begin('tcp')
  })
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
  return settled(socket, 'connect', timeoutMs)
}

/** Puts TLS 1.2 or later over `socket`. @throws Unsecured */
export async function secure(
  socket: Socket,
  target: SmtpTarget,
  extras: TlsExtras,
  timeoutMs: number,
): Promise<TLSSocket> {
  const name = target.serverName ?? target.host
  const secured = connectTls({
    ...extras,
    socket,
    // The name to be checked; an address is checked too, but must not be sent as SNI (RFC 6066 3).
    host: name,
    ...(isIP(name) === 0 && { servername: name }),
    rejectUnauthorized: target.verify,
    minVersion: 'TLSv1.2',
  })
  socket.on('error', (error) => secured.destroy(error))
  let certificate: PeerCertificate | undefined
  // For words only: where Node refuses a certificate, it forgets it.
  secured.prependOnceListener('secure', () => {
    certificate = secured.getPeerCertificate()
  })
  return settled(secured, 'secureConnect', timeoutMs).catch((error) => {
    throw new Unsecured(error, certificate)
  })
}

function settled<S extends Socket>(socket: S, event: string, timeoutMs: number): Promise<S> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(new DialTimeout(`no ${event} in ${timeoutMs} ms`)), Math.max(1, timeoutMs))
    const onClose = (): void => fail(Object.assign(new Error('closed'), { code: 'ECONNRESET' }))
    function fail(error: Error): void {
      clearTimeout(timer)
      socket.off('close', onClose)
      socket.destroy()
      reject(error)
    }
    // Stays: an error between here and the next listener must not end the process; whoever reads next sees the end.
    socket.on('error', fail).once('close', onClose)
    socket.once(event, () => {
      clearTimeout(timer)
      socket.off('close', onClose)
      resolve(socket)
    })
  })
}
