/** The steps that every target has: finding its address, connecting, and TLS. Under the operator's guard. */
import type { LookupAddress } from 'node:dns'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { type AddressGuard, connectProblem } from '#libs/resources'
import { StepFailed, type Steps } from './steps.ts'

export interface Place {
  readonly host: string
  readonly port: number
}

/** For each step. */
export const STEP_MS = 5_000

/** TCP, by the first of the addresses that answers; undefined where a step failed. */
export async function reach({ host, port }: Place, guard: AddressGuard, steps: Steps): Promise<Socket | undefined> {
  const addresses = await steps.take('resolve', async () => {
    const found = await within(resolve(host, guard))
    return [found, isIP(host) === 0 ? found.join(', ') : `${host} is an address`] as const
  })
  return steps.take('connect', async () => {
    const socket = await connectFirst(addresses ?? [], port)
    return [socket, `${socket.remoteAddress ?? host}:${port}`] as const
  })
}

export interface TlsTarget {
  /** That the certificate has to carry. */
  readonly name: string
  readonly verify: boolean
  /** Our own certificate, for servers that ask for one. PEM. */
  readonly cert?: Buffer
  readonly key?: Buffer
}

/** Puts TLS 1.2 or later over `socket`. @returns the secured one, and what was agreed on */
export async function secure(
  socket: Socket,
  { name, verify, ...own }: TlsTarget,
): Promise<readonly [TLSSocket, string]> {
  const secured = connectTls({
    ...own,
    socket,
    host: name,
    ...(isIP(name) === 0 && { servername: name }),
    rejectUnauthorized: verify,
    minVersion: 'TLSv1.2',
  })
  socket.once('error', (error) => secured.destroy(error))
  await settled(secured, 'secureConnect')
  const until = secured.getPeerCertificate().valid_to
  const detail = [secured.getProtocol(), secured.getCipher().name, ...(until ? [`certificate until ${until}`] : [])]
  return [secured, `${detail.join(', ')}${verify ? '' : ', certificate not checked'}`]
}

/** Resolves with `event`, rejects with the error, the end or the time that is over, whichever is first. Ends the socket then. */
export function settled(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((done, failed) => {
    const fail = (error: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      failed(error)
    }
    const timer = setTimeout(() => fail(coded('ETIMEDOUT')), STEP_MS)
    socket.on('error', fail).once('close', () => fail(coded('ECONNRESET')))
    socket.once(event, () => {
      clearTimeout(timer)
      done()
    })
  })
}

/** In the words of the libs, split into what was found and what to do. */
export function explainConnection(place: string): (error: unknown) => StepFailed {
  return (error) => {
    const { words } = connectProblem(error)
    const at = words.indexOf(': ')
    if (at < 0) return new StepFailed(`${place} ${words}`)
    return new StepFailed(`${place} ${words.slice(0, at)}`, `${words[at + 2]?.toUpperCase()}${words.slice(at + 3)}.`)
  }
}

/** Fails after STEP_MS. */
export async function within<T>(work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(coded('ETIMEDOUT')), STEP_MS)
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function resolve(host: string, guard: AddressGuard): Promise<string[]> {
  if (isIP(host) !== 0) {
    guard.checkAddress(host)
    return Promise.resolve([host])
  }
  return new Promise((done, failed) => {
    guard.lookup(host, { all: true }, (error, found) => {
      if (error !== null) return failed(error)
      done([found].flat().map((each) => (typeof each === 'string' ? each : (each as LookupAddress).address)))
    })
  })
}

/** To addresses that were checked, so that no second look-up can lead elsewhere. */
async function connectFirst(addresses: readonly string[], port: number): Promise<Socket> {
  let problem: unknown = coded('ENOTFOUND')
  for (const host of addresses.slice(0, 4)) {
    const socket = connect({ host, port, noDelay: true })
    try {
      await settled(socket, 'connect')
      return socket
    } catch (error) {
      problem = error
    }
  }
  throw problem
}

function coded(code: string): Error {
  return Object.assign(new Error(code), { code })
}
