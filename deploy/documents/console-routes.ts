/** Every route of the console as it registers them, without a server: nothing is listened on or connected to. */
import { trace } from '@opentelemetry/api'
import pino from 'pino'
import { openDatabase } from '#libs/database'
import { buildHttpServer } from '#libs/http-server'
import { openSealer } from '#libs/messages'
import { openOutbox } from '#libs/outbox'
import { type Access, accessOf } from '../../services/console/access.ts'
import { addAccessControl } from '../../services/console/keys/add-access-control.ts'
import { openPageTokens } from '../../services/console/page-tokens.ts'
import { addConsoleRoutes } from '../../services/console/routes.ts'

export interface ConsoleRoute {
  readonly method: string
  /** With `{}` for each part that varies. */
  readonly path: string
  readonly access: Access
}

export async function consoleRoutes(): Promise<ConsoleRoute[]> {
  const [log, tracer] = [pino({ level: 'silent' }), trace.getTracer('documents')]
  // Connects only when it is asked something.
  await using database = openDatabase({ url: 'postgres://127.0.0.1/none', applicationName: 'documents', max: 1 })
  const sealer = openSealer(['not a secret: it seals nothing'])
  const app = buildHttpServer({
    trustCallers: true,
    telemetry: { log, tracer, handleMetrics: (_request, response) => response.end() },
  })
  const routes: ConsoleRoute[] = []
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const each of [method].flat())
      routes.push({ method: each, path: withoutNames(url), access: accessOf({ url, method: each, config }) })
  })
  addAccessControl(app, { database, log, host: '127.0.0.1', adminKey: '', publicOrigin: undefined })
  addConsoleRoutes(app, {
    database,
    figures: database,
    sealer,
    tracer,
    dev: false,
    outbox: openOutbox(sealer),
    topicPrefix: '',
    cancelFacts: { worker: 'documents', maxAttempts: 1 },
    pageTokens: openPageTokens(sealer),
    lifetimeMs: () => 0,
    wakeRelay: () => undefined,
    health: async () => ({ status: 'ok', parts: {} }),
    insights: {},
    pageFiles: new Map(),
  })
  await app.ready()
  await app.close()
  return routes
}

/** `/projects/:id` and `/projects/{project}` are the same path. */
export function withoutNames(path: string): string {
  return path.replace(/:\w+|\{\w+\}/g, '{}')
}
