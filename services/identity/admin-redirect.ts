/** The admin API lives with the console; who asks for it here, as clients of Kratos' public port do, is sent there. */
import type { FastifyInstance } from 'fastify'

const MESSAGES = '/admin/courier/messages'

/**
 * 307, so that method and body go along; before the body is read, which is not for this service.
 * @param consoleUrl without a slash at its end
 */
export function addAdminRedirect(app: FastifyInstance, consoleUrl: string): void {
  app.all(`${MESSAGES}*`, {
    onRequest: async ({ raw }, reply) => {
      const target = raw.url ?? ''
      return reply.redirect(`${consoleUrl}${target.slice(target.indexOf(MESSAGES))}`, 307)
    },
    handler: async () => undefined,
  })
}
