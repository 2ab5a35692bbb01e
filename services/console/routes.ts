/** The admin API and the page over HTTP: shapes in and out, no SQL and no rules. */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { CodedError } from '#libs/errors'
import { type AcceptPorts, acceptMessages, type Idempotency } from './accept-messages.ts'
import { type ListPorts, listPage, type Query } from './list-messages.ts'
import { OPENAPI } from './openapi.ts'
import type { PageFile } from './page-files.ts'
import type { PipelineHealth } from './pipeline-health.ts'
import { readNewMessages } from './read-new-messages.ts'
import { showMessage } from './show-message.ts'

export interface ConsolePorts extends AcceptPorts, ListPorts {
  /** Tells the relay that something was committed: a hint, since it looks by itself too. */
  readonly wakeRelay: () => void
  readonly health: () => Promise<PipelineHealth>
  readonly pageFiles: ReadonlyMap<string, PageFile>
}

const MESSAGES = '/admin/courier/messages'
const MAX_KEY = 255
/** Own files only, and no frame around them. */
const PAGE_HEADERS = {
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
}

export function addConsoleRoutes(app: FastifyInstance, ports: ConsolePorts): void {
  // Ory's admin API answers without the prefix too.
  for (const path of [MESSAGES, MESSAGES.replace('/admin', '')]) addMessageRoutes(app, path, ports)
  app.get('/health/ready', async (_request, reply) => {
    const health = await ports.health()
    return reply.code(health.status === 'ok' ? 200 : 503).send(health)
  })
  app.get('/openapi.json', async () => OPENAPI)
  for (const [path, file] of ports.pageFiles) app.get(path, (_request, reply) => sendFile(reply, file))
}

function addMessageRoutes(app: FastifyInstance, path: string, ports: ConsolePorts): void {
  app.get<{ Querystring: Query }>(path, async ({ query }, reply) => {
    const { messages, link } = await listPage(query, ports)
    return reply.header('link', link).send(messages)
  })
  app.get<{ Params: { id: string } }>(`${path}/:id`, ({ params }) => showMessage(params.id, ports))
  app.post(path, async ({ body, headers }, reply) => {
    const requested = readNewMessages(body, Date.now())
    const ids = await acceptMessages(requested, idempotencyOf(headers['idempotency-key'], body), ports)
    ports.wakeRelay()
    const accepted = ids.map((id) => ({ id }))
    return reply.code(202).send(Array.isArray(body) ? accepted : accepted[0])
  })
}

function idempotencyOf(key: string | string[] | undefined, request: unknown): Idempotency | undefined {
  if (key === undefined) return undefined
  if (typeof key !== 'string' || key === '' || key.length > MAX_KEY)
    throw new CodedError('REQUEST_INVALID', `Idempotency-Key: expected 1 to ${MAX_KEY} characters, once`)
  return { key, request }
}

function sendFile(reply: FastifyReply, { type, content }: PageFile): FastifyReply {
  return reply.headers(PAGE_HEADERS).type(type).send(content)
}
