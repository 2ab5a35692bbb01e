/** A session: a connection that has been greeted, secured and logged in, and takes mails one after the other. */

import type { Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { TLSSocket } from 'node:tls'
import type { AttemptPeer } from '../channel.ts'
import { type Ask, openAsk, SessionRefused } from './ask.ts'
import { authenticate } from './authenticate.ts'
import { type Capabilities, capabilitiesOf, NO_CAPABILITIES } from './capabilities.ts'
import { DialTimeout, dial, secure } from './dial.ts'
import type { SmtpSettings } from './smtp-options.ts'
import type { SmtpCommand, SmtpSignal } from './smtp-signal.ts'
import { openWire, type Wire } from './smtp-wire.ts'

export interface Session {
  readonly wire: Wire
  readonly peer: AttemptPeer
  readonly capabilities: Capabilities
  readonly openedAtMs: number
  /** The lines of the handshake, without secrets. */
  readonly conversation: readonly string[]
  /** Mails announced so far. */
  mails: number
  /** Replies to RSET that are still to come. */
  resets: number
}

export interface RefusedSession {
  readonly signal: SmtpSignal
  readonly conversation: readonly string[]
}

/** Opens a session, or tells why not, by `deadlineMs` (epoch) at the latest. Its socket is in `sockets` for as long as it is open. */
export async function openSession(
  settings: SmtpSettings,
  deadlineMs: number,
  sockets: Set<Socket>,
): Promise<Session | RefusedSession> {
  const conversation: string[] = []
  let wire: Wire | undefined
  try {
    const socket = await dialTarget(settings, deadlineMs, sockets)
    wire = openWire(socket)
    const ask = openAsk(wire, conversation, deadlineMs)
    const { capabilities, secured } = await shakeHands(ask, wire, settings, deadlineMs)
    return {
      wire,
      peer: peerOf(settings, secured ?? socket),
      capabilities,
      openedAtMs: performance.now(),
      conversation,
      mails: 0,
      resets: 0,
    }
  } catch (error) {
    wire?.destroy()
    // Anything else is not the mail's fault either.
    const signal = error instanceof SessionRefused ? error.signal : lostSignal(error as Error, 'CONNECT')
    return { signal, conversation }
  }
}

/** TCP, and TLS where it comes first. */
async function dialTarget(settings: SmtpSettings, deadlineMs: number, sockets: Set<Socket>): Promise<Socket> {
  const { target, timeouts } = settings
  const socket = await dial(target, within(timeouts.connectMs, deadlineMs), sockets).catch((error) => {
    throw new SessionRefused(lostSignal(error, 'CONNECT'))
  })
  return target.security === 'tls' ? secureOver(socket, settings, deadlineMs) : socket
}

async function secureOver(socket: Socket, { target, tls, timeouts }: SmtpSettings, deadlineMs: number) {
  return secure(socket, target, tls, within(timeouts.sessionMs, deadlineMs)).catch((error) => {
    throw new SessionRefused(tlsSignal(error))
  })
}

async function shakeHands(
  ask: Ask,
  wire: Wire,
  settings: SmtpSettings,
  deadlineMs: number,
): Promise<{ capabilities: Capabilities; secured?: Socket }> {
  const { target, timeouts } = settings
  const greeting = await ask.next('CONNECT', timeouts.greetingMs)
  if (greeting.code !== 220) throw new SessionRefused({ kind: 'reply', reply: greeting, command: 'CONNECT' })
  let capabilities = await sayHello(ask, settings)
  let secured: Socket | undefined
  if (target.security === 'starttls') {
    if (!capabilities.starttls) throw new SessionRefused({ kind: 'tls', code: 'NOT_OFFERED' })
    await ask('STARTTLS', 'STARTTLS', timeouts.sessionMs, (code) => code === 220)
    const bare = wire.detach()
    if (bare === undefined) throw new SessionRefused({ kind: 'tls', code: 'INJECTED' })
    secured = await secureOver(bare, settings, deadlineMs)
    wire.attach(secured)
    capabilities = await sayHello(ask, settings)
  }
  if (target.user !== undefined) {
    await authenticate(ask, capabilities.mechanisms, target.user, target.password ?? '', timeouts.sessionMs)
  }
  return { capabilities, ...(secured !== undefined && { secured }) }
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

function tlsSignal(error: NodeJS.ErrnoException): SmtpSignal {
  // A peer that goes away or says nothing is a matter of the network; what it said wrongly is one of TLS.
  const isNetwork = error instanceof DialTimeout || ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'].includes(error.code ?? '')
  return isNetwork ? lostSignal(error, 'STARTTLS') : { kind: 'tls', code: error.code ?? 'unknown' }
}

function lostSignal(error: NodeJS.ErrnoException, command: SmtpCommand): SmtpSignal {
  const loss =
    error instanceof DialTimeout
      ? ({ reason: 'timeout' } as const)
      : ({ reason: 'error', ...(error.code !== undefined && { code: error.code }) } as const)
  return { kind: 'lost', loss, command, progress: 'before_data' }
}

function within(timeoutMs: number, deadlineMs: number): number {
  return Math.max(1, Math.min(timeoutMs, deadlineMs - Date.now()))
}
