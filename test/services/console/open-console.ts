/** The admin API on a database of its own, asked by HTTP. */
import { trace } from '@opentelemetry/api'
import pino from 'pino'
import { type Database, openDatabase } from '#libs/database'
import { buildHttpServer, checkLoopbackRequest } from '#libs/http-server'
import { openSealer, type Sealer } from '#libs/messages'
import { openOutbox } from '#libs/outbox'
import { lifetimeOf } from '../../../services/console/lifetime.ts'
import { loadPageFiles } from '../../../services/console/page-files.ts'
import { openPageTokens } from '../../../services/console/page-tokens.ts'
import { addConsoleRoutes } from '../../../services/console/routes.ts'
import { testDatabase } from '../../support/servers.ts'

const MINUTE = 60_000

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers as a user's script would
  readonly body: any
  readonly headers: Headers
}

export interface TestConsole extends AsyncDisposable {
  readonly url: string
  readonly database: Database
  readonly sealer: Sealer
  readonly request: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>
}

export async function openConsole({ dev = false }: { dev?: boolean } = {}): Promise<TestConsole> {
  const stack = new AsyncDisposableStack()
  const { url: databaseUrl } = stack.use(await testDatabase())
  const database = stack.use(openDatabase({ url: databaseUrl, applicationName: 'console-test', max: 5 }))
  const sealer = openSealer(['a secret of the console tests'])
  const tracer = trace.getTracer('test')
  const app = buildHttpServer({
    trustCallers: true,
    bodyLimitBytes: 16 * 1024 * 1024,
    telemetry: {
      log: pino({ level: 'silent' }),
      tracer,
      handleMetrics: (_request, response) => response.end(),
    },
  })
  app.addHook('onRequest', async ({ headers }) => checkLoopbackRequest(headers.host, headers.origin))
  addConsoleRoutes(app, {
    database,
    sealer,
    tracer,
    dev,
    outbox: openOutbox(sealer),
    topicPrefix: '',
    pageTokens: openPageTokens(sealer),
    lifetimeMs: (message) => lifetimeOf(message, { code: 60 * MINUTE, link: 60 * MINUTE }),
    wakeRelay: () => undefined,
    health: async () => ({ status: 'ok', parts: {} }),
    pageFiles: await loadPageFiles(),
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  stack.defer(async () => app.close())
  return {
    url,
    database,
    sealer,
    request: async (method, path, body, headers = {}) => {
      const response = await fetch(url + path, {
        method,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const text = await response.text()
      const isJson = response.headers.get('content-type')?.startsWith('application/json')
      return { status: response.status, body: isJson ? JSON.parse(text) : text, headers: response.headers }
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
