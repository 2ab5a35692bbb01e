/** The admin API on a database of its own, asked by HTTP. */
import type { AddressInfo } from 'node:net'
import { trace } from '@opentelemetry/api'
import type { FastifyContextConfig } from 'fastify'
import pino from 'pino'
import { type Database, openDatabase } from '#libs/database'
import { buildHttpServer } from '#libs/http-server'
import { openSealer, type Sealer } from '#libs/messages'
import { openOutbox } from '#libs/outbox'
import type { InsightSettings } from '../../../services/console/insights/routes.ts'
import { addAccessControl } from '../../../services/console/keys/add-access-control.ts'
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

export interface TestRoute {
  readonly method: string | string[]
  readonly url: string
  readonly config?: FastifyContextConfig | undefined
}

export interface ConsoleOptions {
  readonly dev?: boolean
  /** Beyond loopback every request needs a key; it is reached on 127.0.0.1 all the same. */
  readonly host?: '127.0.0.1' | '0.0.0.0'
  readonly adminKey?: string
  readonly publicOrigin?: string
  readonly insights?: InsightSettings
  /** Of page tokens; in ms. */
  readonly now?: () => number
}

export interface TestConsole extends AsyncDisposable {
  readonly url: string
  readonly database: Database
  readonly sealer: Sealer
  /** Every route of the console, as it was registered. */
  readonly routes: readonly TestRoute[]
  readonly log: () => string
  readonly request: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>
}

export async function openConsole(options: ConsoleOptions = {}): Promise<TestConsole> {
  const { dev = false, host = '127.0.0.1', adminKey = '', publicOrigin, now = Date.now } = options
  const stack = new AsyncDisposableStack()
  const { url: databaseUrl } = stack.use(await testDatabase())
  const database = stack.use(openDatabase({ url: databaseUrl, applicationName: 'console-test', max: 5 }))
  const sealer = openSealer(['a secret of the console tests'])
  const tracer = trace.getTracer('test')
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) })
  const app = buildHttpServer({
    trustCallers: true,
    bodyLimitBytes: 16 * 1024 * 1024,
    telemetry: {
      log,
      tracer,
      handleMetrics: (_request, response) => response.end(),
    },
  })
  const routes: TestRoute[] = []
  app.addHook('onRoute', ({ method, url, config }) => {
    routes.push({ method, url, config })
  })
  addAccessControl(app, { database, log, host, adminKey, publicOrigin })
  addConsoleRoutes(app, {
    database,
    figures: database,
    sealer,
    tracer,
    dev,
    outbox: openOutbox(sealer),
    topicPrefix: '',
    cancelFacts: { worker: 'console-test', maxAttempts: 6 },
    pageTokens: openPageTokens(sealer, now),
    lifetimeMs: (message) => lifetimeOf(message, { code: 60 * MINUTE, link: 60 * MINUTE }),
    wakeRelay: () => undefined,
    health: async () => ({ status: 'ok', parts: {} }),
    insights: options.insights ?? {},
    pageFiles: await loadPageFiles(),
  })
  await app.listen({ host, port: 0 })
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  stack.defer(async () => app.close())
  return {
    url,
    database,
    sealer,
    routes,
    log: () => lines.join(''),
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
