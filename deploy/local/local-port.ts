/** Ports of 127.0.0.1: which are free, and a free one. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { CodedError } from '#libs/errors'

/** Whether nothing listens on `port` of 127.0.0.1 now. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await listenOnce(port)) !== undefined
}

/** A port of 127.0.0.1 that was free a moment ago, chosen by the system. */
export async function freePort(): Promise<number> {
  const port = await listenOnce(0)
  if (port === undefined) throw new CodedError('PORT_TAKEN', 'no free port on 127.0.0.1')
  return port
}

/** @throws PORT_TAKEN, whose message names `variable`, the setting that moves `what` to another port. */
export async function requireFreePort(port: number, what: string, variable: string): Promise<void> {
  if (await isPortFree(port)) return
  throw new CodedError(
    'PORT_TAKEN',
    `${what} needs port ${port} of 127.0.0.1, which another program uses: set ${variable} to a free one`,
  )
}

async function listenOnce(port: number): Promise<number | undefined> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch (error) {
    if (isTaken(error)) return undefined
    throw error
  }
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' ? address?.port : undefined
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES')
}
