/** The admin API and the page over HTTP: shapes in and out, no SQL and no rules. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { openEngine } from '#libs/engine'
import { CodedError } from '#libs/errors'
import { type AcceptPorts, acceptMessages, type Idempotency } from './accept-messages.ts'
import { type ActionPorts, addActionRoutes, addAuditRoute } from './actions/action-routes.ts'
import { addInsightRoutes, type InsightPorts } from './insights/routes.ts'
import { type ListPorts, listPage } from './list-messages.ts'
import { OPENAPI } from './openapi.ts'
import type { PageFile } from './page-files.ts'
import type { PipelineHealth } from './pipeline-health.ts'
import { openCheckEmbedded } from './projects/check-embedded.ts'
import { addProjectRoutes } from './projects/routes.ts'
import type { Query } from './read-filter.ts'
import { readNewMessages } from './read-new-messages.ts'
import { showMessage } from './show-message.ts'
import { addStreamRoutes } from './stream/stream-routes.ts'

export interface ConsolePorts extends AcceptPorts, ListPorts, ActionPorts, InsightPorts {
  readonly lifetimeMs: ActionPorts['lifetimeMs']
  readonly health: () => Promise<PipelineHealth>
  readonly pageFiles: ReadonlyMap<string, PageFile>
}

const MESSAGES = '/admin/courier/messages'
const MAX_KEY = 255
/** Says nothing about anybody's mail. */
const PUBLIC = { access: 'public' } as const
/** Own files only, and no frame around them. */
const PAGE_HEADERS = {
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
}

export function addConsoleRoutes(app: FastifyInstance, ports: ConsolePorts): void {
  // Ory's admin API answers without the prefix too.
  const paths = [MESSAGES, MESSAGES.replace('/admin', '')]
  for (const path of paths) {
    addMessageRoutes(app, path, ports)
    addActionRoutes(app, path, ports, idempotencyOf)
  }
  addStreamRoutes(app, paths, ports)
  addAuditRoute(app, ports)
  // Its one process starts with the first payload or template of a project's own: it serves people who wait.
  const engine = openEngine({ workers: 1 })
  app.addHook('onClose', () => engine[Symbol.asyncDispose]())
  addProjectRoutes(app, { ...ports, checkEmbedded: openCheckEmbedded(engine) })
  addInsightRoutes(app, paths, engine, ports)
  app.get('/health/ready', { config: PUBLIC }, async (_request, reply) => {
    const health = await ports.health()
    return reply.code(health.status === 'ok' ? 200 : 503).send(health)
  })
  app.get('/openapi.json', { config: PUBLIC }, async () => OPENAPI)
  for (const [path, file] of ports.pageFiles)
    app.get(path, { config: PUBLIC }, (_request, reply) => sendFile(reply, file))
}

function addMessageRoutes(app: FastifyInstance, path: string, ports: ConsolePorts): void {
  app.get<{ Querystring: Query }>(path, { config: { projectScope: 'own' } }, async ({ query, principal }, reply) => {
    const { messages, link } = await listPage(query, ports, principal?.project?.id)
    return reply.header('link', link).send(messages)
  })
  app.get<{ Params: { id: string } }>(`${path}/:id`, ({ params }) => showMessage(params.id, ports))
  app.post(path, { config: { access: 'send', projectScope: 'own' } }, async (request, reply) => {
    const { body, principal } = request
    const requested = readNewMessages(body, Date.now())
    const ids = await acceptMessages(requested, idempotencyOf(request), ports, principal)
    ports.wakeRelay()
    const accepted = ids.map((id) => ({ id }))
    return reply.code(202).send(Array.isArray(body) ? accepted : accepted[0])
  })
}

function idempotencyOf({ headers, body }: FastifyRequest): Idempotency | undefined {
  const key = headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY)
    throw new CodedError('REQUEST_INVALID', `Idempotency-Key: expected 1 to ${MAX_KEY} characters, once`)
  return { key, request: body }
}

function sendFile(reply: FastifyReply, { type, content }: PageFile): FastifyReply {
  return reply.headers(PAGE_HEADERS).type(type).send(content)
}
