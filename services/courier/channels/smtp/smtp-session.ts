/** A session: a connection that has been greeted, secured and logged in, and takes mails one after the other. */

import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { TLSSocket } from 'node:tls'
import { AddressRefused } from '#libs/resources'
import { type Capabilities, capabilitiesOf, NO_CAPABILITIES, type SmtpTarget } from '#libs/smtp'
import type { AttemptPeer, AttemptPhases } from '../channel.ts'
import { openStopwatch, type Stopwatch } from '../stopwatch.ts'
import { type Ask, openAsk, SessionRefused } from './ask.ts'
import { authenticate } from './authenticate.ts'
import { DialTimeout, dial, secure, type Unsecured } from './dial.ts'
import type { ServerCertificate } from './server-certificate.ts'
import type { SmtpSettings } from './smtp-options.ts'
import type { LostSignal, SmtpCommand, SmtpSignal, TlsSignal } from './smtp-signal.ts'
import { openWire, type Wire } from './smtp-wire.ts'

export interface Session {
  readonly wire: Wire
  readonly peer: AttemptPeer
  readonly capabilities: Capabilities
  readonly openedAtMs: number
  /** The lines of the handshake, without secrets. */
  readonly conversation: readonly string[]
  /** Of the opening. */
  readonly phases: AttemptPhases
  /** Mails announced so far. */
  mails: number
  /** Replies to RSET that are still to come. */
  resets: number
}

export interface RefusedSession {
  readonly signal: SmtpSignal
  readonly conversation: readonly string[]
  readonly phases: AttemptPhases
}

/** How far a handshake has come. */
interface Handshake {
  readonly settings: SmtpSettings
  /** Epoch ms. */
  readonly deadlineMs: number
  readonly conversation: string[]
  readonly watch: Stopwatch
  socket: Socket | undefined
  wire: Wire | undefined
  /** Whether TLS has been agreed on, and nothing was heard since. */
  afterTls: boolean
}

/** Opens a session, or tells why not, by `deadlineMs` (epoch) at the latest. Its socket is in `sockets` for as long as it is open. */
export async function openSession(
  settings: SmtpSettings,
  deadlineMs: number,
  sockets: Set<Socket>,
): Promise<Session | RefusedSession> {
  const conversation: string[] = []
  const watch = openStopwatch()
  const handshake: Handshake = {
    settings,
    deadlineMs,
    conversation,
    watch,
    socket: undefined,
    wire: undefined,
    afterTls: false,
  }
  try {
    const socket = await dialTarget(handshake, sockets)
    handshake.socket = socket
    const wire = openWire(socket)
    handshake.wire = wire
    const capabilities = await shakeHands(handshake, wire)
    return {
      wire,
      peer: peerOf(settings, handshake.socket),
      capabilities,
      openedAtMs: performance.now(),
      conversation,
      phases: watch.end(),
      mails: 0,
      resets: 0,
    }
  } catch (error) {
    handshake.wire?.destroy()
    // Anything else is not the mail's fault either.
    const signal = error instanceof SessionRefused ? error.signal : lostSignal(error as Error, 'CONNECT')
    return {
      signal: signal.kind === 'lost' ? explained(signal, handshake) : signal,
      conversation,
      phases: watch.end(),
    }
  }
}

/** TCP, and TLS where it comes first. */
async function dialTarget(handshake: Handshake, sockets: Set<Socket>): Promise<Socket> {
  const { settings, deadlineMs, watch } = handshake
  const { target, guard, timeouts } = settings
  const way = { guard, timeoutMs: within(timeouts.connectMs, deadlineMs), sockets, watch }
  const socket = await dial(target, way).catch((error) => {
    throw new SessionRefused(
      error instanceof AddressRefused
        ? { kind: 'address_refused', problem: error.message }
        : lostSignal(error, 'CONNECT'),
    )
  })
  return target.security === 'tls' ? secureOver(handshake, socket) : socket
}

async function secureOver(handshake: Handshake, socket: Socket): Promise<Socket> {
  const { settings, deadlineMs, watch } = handshake
  const { target, tls, timeouts } = settings
  watch.begin('tls')
  const secured = await secure(socket, target, tls, within(timeouts.sessionMs, deadlineMs)).catch((error) => {
    throw new SessionRefused(unsecuredSignal(error, target))
  })
  handshake.afterTls = true
  watch.begin('auth')
  return secured
}

async function shakeHands(handshake: Handshake, wire: Wire): Promise<Capabilities> {
  const { settings, conversation, deadlineMs, watch } = handshake
  const { target, timeouts } = settings
  watch.begin('auth')
  const ask = openAsk(wire, conversation, deadlineMs)
  const greeting = await ask.next('CONNECT', timeouts.greetingMs)
  handshake.afterTls = false
  if (greeting.code !== 220) throw new SessionRefused({ kind: 'reply', reply: greeting, command: 'CONNECT' })
  let capabilities = await sayHello(ask, settings)
  if (target.security === 'starttls') {
    if (!capabilities.starttls) throw new SessionRefused(tlsSignal('NOT_OFFERED', target))
    await ask('STARTTLS', 'STARTTLS', timeouts.sessionMs, (code) => code === 220)
    const bare = wire.detach()
    if (bare === undefined) throw new SessionRefused(tlsSignal('INJECTED', target))
    handshake.socket = await secureOver(handshake, bare)
    wire.attach(handshake.socket)
    // What was offered in clear may have been written by anyone (RFC 3207 4.2).
    capabilities = await sayHello(ask, settings)
    handshake.afterTls = false
  }
  if (target.user !== undefined) {
    await authenticate(ask, capabilities.mechanisms, target.user, target.password ?? '', timeouts.sessionMs)
  }
  return capabilities
}

/** Servers that know no EHLO get HELO, and are taken to offer nothing. */
async function sayHello(ask: Ask, { localName, timeouts }: SmtpSettings): Promise<Capabilities> {
  const reply = await ask(`EHLO ${localName}`, 'EHLO', timeouts.sessionMs, (code) => code === 250 || code >= 500)
  if (reply.code === 250) return capabilitiesOf(reply.lines.slice(1))
  await ask(`HELO ${localName}`, 'EHLO', timeouts.sessionMs, (code) => code === 250)
  return NO_CAPABILITIES
}

function peerOf({ target }: SmtpSettings, socket: Socket): AttemptPeer {
  const tls = socket instanceof TLSSocket ? socket.getProtocol() : null
  return {
    host: target.host,
    port: target.port,
    ...(socket.remoteAddress !== undefined && { address: socket.remoteAddress }),
    ...(tls !== null && { tls }),
  }
}

function unsecuredSignal({ cause, certificate }: Unsecured, target: SmtpTarget): SmtpSignal {
  const error = cause as NodeJS.ErrnoException
  // A peer that goes away or says nothing is a matter of the network; what it said wrongly is one of TLS.
  const isNetwork = error instanceof DialTimeout || ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(error.code ?? '')
  return isNetwork ? lostSignal(error, 'STARTTLS') : tlsSignal(error.code ?? 'unknown', target, certificate)
}

function tlsSignal(
  code: string,
  { security, host, serverName }: SmtpTarget,
  certificate?: ServerCertificate,
): TlsSignal {
  return { kind: 'tls', code, security, host, expected: serverName ?? host, ...(certificate && { certificate }) }
}

function lostSignal(error: NodeJS.ErrnoException, command: SmtpCommand): LostSignal {
  const code = error instanceof DialTimeout ? 'ETIMEDOUT' : error.code
  const reason = error instanceof DialTimeout ? 'timeout' : 'error'
  return {
    kind: 'lost',
    loss: { reason, ...(code !== undefined && { code }) },
    command,
    progress: 'before_data',
  }
}

/** With TLS 1.3 a server judges our certificate when the handshake is over for us: its no comes in place of the next reply. */
function explained(signal: LostSignal, { settings, afterTls }: Handshake): SmtpSignal {
  const { code = '' } = signal.loss
  if (code.startsWith('ERR_SSL_')) return tlsSignal(code, settings.target)
  return afterTls ? { ...signal, afterTls } : signal
}

function within(timeoutMs: number, deadlineMs: number): number {
  return Math.max(1, Math.min(timeoutMs, deadlineMs - Date.now()))
}
