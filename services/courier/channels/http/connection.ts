/**
 * One place of a channel: a client with one connection, which it opens when it is needed and again after it was closed. undici's own
 * pool would not tell on which connection a request went, nor whether all of it had left.
 */
import { isIP, type LookupFunction, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { type SecureContextOptions, TLSSocket } from 'node:tls'
import { Client } from 'undici'
import { type AddressGuard, guardedConnector } from '#libs/resources'
import { openStopwatch, type Stopwatch } from '../stopwatch.ts'

export interface Connection {
  readonly client: Client
  /** The last one that stood. */
  socket: Socket | undefined
  /** On the clock of `performance.now()`. */
  connectedAtMs: number
  /** Who is at its other end. */
  peer: { readonly address?: string; readonly tls?: string }
  /** Of the last opening. dns, and tcp where no TLS follows: undici does not tell the two apart. */
  watch: Stopwatch
}

export interface ConnectionOptions {
  readonly origin: string
  readonly guard: AddressGuard
  readonly tls: SecureContextOptions
  readonly timeoutMs: number
}

/**
 * Where the server does not say how long it keeps an idle connection. Longer would save connections, and would now and then write a mail
 * into one that is just being closed, of which nobody can tell whether it arrived.
 */
const IDLE_MS = 4_000
const MAX_IDLE_MS = 60_000
/** One address that drops packets must not use up the whole time while another would answer. */
const ADDRESS_TIMEOUT_MS = 1_000

export function openConnection({ origin, guard, tls, timeoutMs }: ConnectionOptions): Connection {
  const timedGuard: AddressGuard = { ...guard, lookup: timedLookup(guard.lookup, () => afterLookup(connection.watch)) }
  const connect = guardedConnector(timedGuard, {
    ...tls,
    timeout: timeoutMs,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: ADDRESS_TIMEOUT_MS,
  })
  const client = new Client(origin, {
    pipelining: 1,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: MAX_IDLE_MS,
    // The exchange has its own clock, over all of its phases.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (target, callback) => {
      connection.watch = openStopwatch()
      if (isIP(target.hostname.replace(/^\[(.*)\]$/, '$1')) === 0) connection.watch.begin('dns')
      else afterLookup(connection.watch)
      connect(target, (...result) => {
        connection.watch.end()
        if (result[0] !== null) return callback(...result)
        connection.socket = result[1]
        connection.connectedAtMs = performance.now()
        connection.peer = peerOf(result[1])
        callback(...result)
      })
    },
  })
  const isSecure = origin.startsWith('https:')
  function afterLookup(watch: Stopwatch): void {
    if (isSecure) watch.end()
    else watch.begin('tcp')
  }

  const connection: Connection = {
    client,
    socket: undefined,
    connectedAtMs: Number.NEGATIVE_INFINITY,
    peer: {},
    watch: openStopwatch(),
  }
  return connection
}

/** Calls `onFound` when a name has become addresses. */
function timedLookup(lookup: LookupFunction, onFound: () => void): LookupFunction {
  return (hostname, options, callback) =>
    lookup(hostname, options, (error, ...found) => {
      if (error === null) onFound()
      callback(error, ...found)
    })
}

function peerOf(socket: Socket): Connection['peer'] {
  const tls = socket instanceof TLSSocket ? socket.getProtocol() : null
  return {
    ...(socket.remoteAddress !== undefined && { address: socket.remoteAddress }),
    ...(tls !== null && { tls }),
  }
}
