/** The mailbox of this machine through the console, so that its page shows it. Only where there is one, and only from here. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CodedError } from '#libs/errors'

type OfMail = { Params: { id?: string }; Querystring: { to?: string; limit?: string } }

const PATH = '/mailbox/messages'
const TIMEOUT_MS = 5_000
const NONE =
  'There is no mailbox: mail goes to the configured server, or the console is reached beyond this machine. `npm start` has one while no server is configured.'
const SILENT = 'The mailbox of this machine does not answer: is `npm start` still running?'

/** @param origin of the mailbox's HTTP side; undefined for none */
export function addMailboxRoutes(app: FastifyInstance, origin: string | undefined): void {
  const forward = (request: FastifyRequest<OfMail>, reply: FastifyReply) => ask(request, reply, origin)
  for (const path of [PATH, `${PATH}/:id`]) {
    // Whole mails with their codes: for those who may reveal them.
    app.get<OfMail>(path, { config: { access: 'operate' } }, forward)
    app.delete<OfMail>(path, { config: { access: 'operate' } }, forward)
  }
}

async function ask(
  { method, params, query }: FastifyRequest<OfMail>,
  reply: FastifyReply,
  origin: string | undefined,
): Promise<FastifyReply> {
  if (origin === undefined) throw new CodedError('NOT_FOUND', NONE)
  const { id } = params
  const url = new URL(id === undefined ? '/messages' : `/messages/${encodeURIComponent(id)}`, origin)
  for (const name of ['to', 'limit'] as const) if (query[name] !== undefined) url.searchParams.set(name, query[name])
  const answer = await fetch(url, { method, signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => undefined)
  if (answer === undefined) throw new CodedError('NOT_FOUND', SILENT)
  const body = Buffer.from(await answer.arrayBuffer())
  const count = answer.headers.get('x-total-count')
  reply.code(answer.status).header('cache-control', 'no-store')
  if (count !== null) reply.header('x-total-count', count)
  return body.length === 0 ? reply.send() : reply.type('application/json').send(body)
}
