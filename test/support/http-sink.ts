/** An HTTP server that keeps every request as it came, and answers as it is told. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { SecureContextOptions } from 'node:tls'

export interface SinkRequest {
  /** 1 for the first connection. */
  readonly connection: number
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Names and values as they were written. */
  readonly rawHeaders: readonly string[]
  readonly body: string
}

/** Called when the whole request is there; not answering is an answer too. */
export type SinkAnswer = (request: SinkRequest, response: ServerResponse) => void

export interface HttpSink extends AsyncDisposable {
  readonly port: number
  /** `http://127.0.0.1:…`, or https with TLS. */
  readonly origin: string
  readonly requests: readonly SinkRequest[]
  /** Connections so far. */
  readonly connections: () => number
  /** What it does from now on. */
  answer: SinkAnswer
}

/** Answers with a status, a body and headers. */
export function replying(status: number, body: string | Buffer = '', headers: Record<string, string> = {}): SinkAnswer {
  return (_request, response) => {
    response.writeHead(status, headers).end(body)
  }
}

/** Listens on 127.0.0.1 and accepts everything, unless `answer` says otherwise. Disposing drops every connection. */
export async function openHttpSink(
  answer: SinkAnswer = replying(202, '{"id":"p-1"}'),
  tls?: SecureContextOptions,
): Promise<HttpSink> {
  const requests: SinkRequest[] = []
  const sockets = new Map<Socket, number>()
  let connections = 0

  const handle = (incoming: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const request = {
        connection: sockets.get(incoming.socket) ?? 0,
        method: incoming.method ?? '',
        path: incoming.url ?? '',
        headers: incoming.headers,
        rawHeaders: incoming.rawHeaders,
        body: Buffer.concat(chunks).toString(),
      }
      requests.push(request)
      sink.answer(request, response)
    })
  }
  const server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle)
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    sockets.set(socket, ++connections)
    socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const sink: HttpSink = {
    port,
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    answer,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return sink
}
