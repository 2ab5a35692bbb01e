/**
 * An SMTP server that takes every mail, fast enough to be no part of what is measured, and fails on demand. As a process:
 * `node test/support/smtp-sink.ts --port 2525 --http 2526 --lean`; GET / then tells what came, GET /accepted
 * only how much.
 */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { parseArgs } from 'node:util'
import { openLedger, type SinkMail, type SinkScript, serve } from './smtp-sink-session.ts'

export type { SinkMail, SinkScript, SinkSession, SinkTls } from './smtp-sink-session.ts'

export interface SmtpSink extends AsyncDisposable {
  readonly port: number
  readonly mails: readonly SinkMail[]
  /** Every command that came, as `2 RCPT TO:<…>`, the number being the connection's. Empty when lean. */
  readonly lines: readonly string[]
  /** Connections so far. */
  readonly connections: () => number
  readonly openConnections: () => number
  /** One entry per accepted mail, duplicates included. */
  readonly messageIds: () => string[]
  readonly accepted: () => number
  /** The last mails with the time of their final dot, epoch ms with a fraction. */
  readonly recent: () => { readonly messageId: string; readonly at: number }[]
  readonly disconnectAll: () => void
  /** Says a line that nobody asked for on every connection; 'CLOSE' hangs up. */
  readonly sayToAll: (line: string) => void
}

const RECENT = 5_000

/** Listens on 127.0.0.1. Disposing drops every connection. */
export async function openSmtpSink(script: SinkScript = {}): Promise<SmtpSink> {
  const ledger = openLedger(script.lean ?? false)
  const sockets = new Set<Socket>()
  let connections = 0
  const accept = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
    serve(socket, ++connections, script, ledger)
  }
  const server: Server = script.tls?.isImplicit
    ? createTlsServer(script.tls, accept).on('tlsClientError', (_, socket) => socket.destroy())
    : createServer({ noDelay: true }, accept)
  server.listen(script.port ?? 0, '127.0.0.1', 1_024)
  await once(server, 'listening')
  const disconnectAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    mails: ledger.mails,
    lines: ledger.lines,
    connections: () => connections,
    openConnections: () => sockets.size,
    messageIds: () => ledger.ids.slice(),
    accepted: () => ledger.ids.length,
    recent: () => ledger.recent.slice(-RECENT),
    disconnectAll,
    sayToAll: (line) => {
      for (const socket of sockets) {
        if (line !== 'CLOSE') socket.write(`${line}\r\n`)
        if (line === 'CLOSE' || line.startsWith('421')) socket.end()
      }
    },
    [Symbol.asyncDispose]: async () => {
      disconnectAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { port: { type: 'string' }, http: { type: 'string' }, lean: { type: 'boolean', default: false } },
  })
  const sink = await openSmtpSink({ port: Number(values.port ?? 0), lean: values.lean })
  const http = createHttpServer(({ url }, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(url === '/accepted' ? { accepted: sink.accepted() } : summaryOf(sink)))
  })
  http.listen(Number(values.http ?? 0), '127.0.0.1')
  process.on('disconnect', () => process.exit())
}

function summaryOf(sink: SmtpSink) {
  const ids = sink.messageIds()
  return { accepted: ids.length, distinct: new Set(ids).size, recent: sink.recent() }
}

if (import.meta.main) await main()
