/** The dev mailbox: an SMTP server that takes every mail and an HTTP API that shows it. For one machine and for tests. */
import { once } from 'node:events'
import type { Server } from 'node:net'
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server'
import { createMailboxApi } from './mailbox-api.ts'
import { createMailboxStore, type MailboxStore } from './mailbox-store.ts'

const CAPACITY = 20_000
const SIZE_LIMIT_BYTES = 25 * 1024 * 1024

export interface Mailbox extends AsyncDisposable {
  readonly smtpPort: number
  readonly httpPort: number
}

/** Listens on both ports of 127.0.0.1; 0 takes a free one. Rejects when one is taken. */
export async function openMailbox(ports: { smtpPort: number; httpPort: number }): Promise<Mailbox> {
  const store = createMailboxStore(CAPACITY)
  const smtp = createSmtpServer(store)
  const api = createMailboxApi(store)
  const smtpPort = await listen(smtp.server, ports.smtpPort)
  const httpPort = await listen(api, ports.httpPort)
  return {
    smtpPort,
    httpPort,
    async [Symbol.asyncDispose]() {
      api.closeAllConnections()
      await Promise.all([
        new Promise<void>((resolve) => smtp.close(() => resolve())),
        new Promise<void>((resolve) => api.close(() => resolve())),
      ])
    },
  }
}

function createSmtpServer(store: MailboxStore): SMTPServer {
  const server = new SMTPServer({
    banner: 'Postrider dev mailbox',
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true, // a resolver that is slow or absent must not delay the greeting
    hideENHANCEDSTATUSCODES: false,
    size: SIZE_LIMIT_BYTES,
    closeTimeout: 500,
    onData: (stream, session, done) => receive(store, stream, session, done),
  })
  // A client that goes away in the middle is its own affair; a port that is taken rejects `listen`.
  server.on('error', (error: Error) => console.error(`mailbox: ${error.message}`))
  return server
}

function receive(
  store: MailboxStore,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  done: (error?: Error | null) => void,
): void {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.once('end', () => {
    if (stream.sizeExceeded) return done(Object.assign(new Error('Message too large'), { responseCode: 552 }))
    const { mailFrom, rcptTo } = session.envelope
    store.add({
      from: mailFrom === false ? '' : mailFrom.address,
      to: rcptTo.map(({ address }) => address),
      raw: Buffer.concat(chunks),
      receivedAt: new Date(),
    })
    done()
  })
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the mailbox is not on a TCP port')
  return address.port
}
