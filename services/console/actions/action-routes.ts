/** Actions on messages, and the log of who did what, over HTTP. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Idempotency } from '../accept-messages.ts'
import { actorOf } from '../access.ts'
import type { Op } from './action-repository.ts'
import { type AuditQuery, listAudit } from './audit.ts'
import { type CommandPorts, commandMessage, commandMessages, countMessages } from './command-messages.ts'
import { readBulk } from './read-bulk.ts'
import { type ResendPorts, resendMessage } from './resend-message.ts'

export interface ActionPorts extends CommandPorts, ResendPorts {
  /** Tells the relay that something was committed: a hint, since it looks by itself too. */
  readonly wakeRelay: () => void
}

type IdempotencyOf = (request: FastifyRequest) => Idempotency | undefined

const OPS: readonly Op[] = ['retry', 'cancel']

/** @param path of the messages */
export function addActionRoutes(
  app: FastifyInstance,
  path: string,
  ports: ActionPorts,
  idempotencyOf: IdempotencyOf,
): void {
  const config = { access: 'operate', projectScope: 'message', takesEmptyBody: true } as const
  for (const op of OPS) {
    app.post<{ Params: { id: string } }>(`${path}/:id/${op}`, { config }, async (request, reply) =>
      reply.code(202).send(await commandMessage(op, request.params.id, actorOf(request), ports)),
    )
    addBulkRoute(app, `${path}/${op}`, op, ports)
  }
  app.post<{ Params: { id: string } }>(`${path}/:id/resend`, { config }, async (request, reply) => {
    const idempotency = idempotencyOf(request)
    const keyId = request.principal?.keyId ?? ''
    const { id } = request.params
    const accepted = await resendMessage({ id, actor: actorOf(request), idempotency, keyId }, ports)
    ports.wakeRelay()
    return reply.code(202).send(accepted)
  })
}

function addBulkRoute(app: FastifyInstance, path: string, op: Op, ports: ActionPorts): void {
  app.post(path, { config: { access: 'operate', projectScope: 'own' } }, async (request, reply) => {
    const { isDryRun, filter, told } = await readBulk(request.body, ports, request.principal?.project?.id)
    if (isDryRun) return filter === undefined ? { count: 0, more: false } : countMessages(op, filter, ports)
    const counted =
      filter === undefined
        ? { count: 0, skipped: 0, more: false }
        : await commandMessages(op, { filter, told, actor: actorOf(request) }, ports)
    return reply.code(202).send(counted)
  })
}

export function addAuditRoute(app: FastifyInstance, { database }: Pick<ActionPorts, 'database'>): void {
  app.get<{ Querystring: AuditQuery }>('/admin/audit', { config: { access: 'read' } }, ({ query }) =>
    listAudit(database, query),
  )
}
