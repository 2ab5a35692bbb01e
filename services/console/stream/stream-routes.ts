import type { FastifyInstance } from 'fastify'
import type { Principal } from '../access.ts'
import { CONFIGURED_ID } from '../keys/authenticate.ts'
import { isKeyLive } from '../keys/key-repository.ts'
import { readFlag } from '../list-messages.ts'
import { first, type Query, readFilter } from '../read-filter.ts'
import { openMessageStreams, type StreamPorts } from './stream-messages.ts'

/** @param paths of the messages; all share one bound on clients */
export function addStreamRoutes(app: FastifyInstance, paths: readonly string[], ports: StreamPorts): void {
  const streams = openMessageStreams(ports)
  // Before the server closes connections, so that each client is told.
  app.addHook('preClose', () => streams.close())
  for (const path of paths) {
    const config = { access: 'read', projectScope: 'own' } as const
    app.get<{ Querystring: Query }>(`${path}/stream`, { config, exposeHeadRoute: false }, async (request, reply) => {
      const { query, principal, headers } = request
      const filter = await readFilter(query, ports, principal?.project?.id)
      const wantsDispatches = readFlag(first(query.dispatches), 'dispatches')
      const lastEventId = first(headers['last-event-id']) || undefined
      streams.checkRoom()
      reply.hijack()
      const isStillAllowed = () => mayStillRead(principal, ports)
      await streams.serve(reply.raw, { filter, wantsDispatches, lastEventId, isStillAllowed }, reply.getHeaders())
    })
  }
}

/** A key that was revoked or expired meanwhile ends what it opened. The configured one holds as long as this process. */
async function mayStillRead(principal: Principal | undefined, { database }: StreamPorts): Promise<boolean> {
  if (principal === undefined || principal.keyId === CONFIGURED_ID) return true
  return isKeyLive(database, principal.keyId)
}
