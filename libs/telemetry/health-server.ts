/** The health and metrics port of a service: `/health/alive`, `/health/ready`, `/metrics`. Needs no key and says nothing personal. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { CodedError, messageOf } from '#libs/errors'

/** What one part says of itself. */
export interface PartReadiness {
  readonly ok: boolean
  readonly detail?: string
}

export type ReadyCheck = () =>
  | Readonly<Record<string, PartReadiness>>
  | Promise<Readonly<Record<string, PartReadiness>>>

export interface Readiness {
  readonly status: 'ok' | 'unavailable'
  readonly parts: Readonly<Record<string, PartReadiness>>
}

/** Asks every part; a check that throws is a part that is not ready. Never rejects. */
export async function readinessOf(check: ReadyCheck): Promise<Readiness> {
  const parts = await Promise.resolve()
    .then(check)
    .catch((error: unknown) => ({ service: { ok: false, detail: messageOf(error) } }))
  return { status: Object.values(parts).every(({ ok }) => ok) ? 'ok' : 'unavailable', parts }
}

export interface HealthServerOptions {
  readonly host: string
  readonly port: number
  readonly ready: () => Promise<Readiness>
  readonly metrics: (request: IncomingMessage, response: ServerResponse) => void
}

/** @throws PORT_TAKEN */
export async function openHealthServer(options: HealthServerOptions): Promise<AsyncDisposable> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => response.destroy(error as Error))
  })
  server.listen(options.port, options.host)
  await once(server, 'listening').catch((cause: unknown) => {
    const what = `${options.host}:${options.port}`
    throw new CodedError('PORT_TAKEN', `health and metrics cannot listen on ${what}: ${messageOf(cause)}`, { cause })
  })
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { ready, metrics }: HealthServerOptions,
): Promise<void> {
  switch (request.url?.split('?')[0]) {
    case '/health/alive':
      return json(response, 200, { status: 'ok' })
    case '/health/ready': {
      const readiness = await ready()
      return json(response, readiness.status === 'ok' ? 200 : 503, readiness)
    }
    case '/metrics':
    case '/metrics/prometheus':
      return metrics(request, response)
    default:
      return json(response, 404, { error: { code: 404, status: 'Not Found', message: 'No such resource' } })
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}
