/** What a message says, over HTTP: masked for everybody who may read, plain for who says why. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CodedError } from '#libs/errors'
import { actorOf, grants } from '../../access.ts'
import { writeAudit } from '../../actions/audit.ts'
import { readFields } from '../../projects/create-project.ts'
import { maskText } from './mask-text.ts'
import { type ContentPorts, type RenderedContent, renderContent } from './render-content.ts'
import { openRevealTokens } from './reveal-tokens.ts'

type OfMessage = { Params: { id: string }; Querystring: { token?: string } }

const SHORTEST_REASON = 3
const LONGEST_REASON = 200
const ADDRESS = /[^\s@<>"']+@[^\s@<>"']+/g
const PRIVATE = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-content-type-options': 'nosniff' }
/** The mail is a stranger's document: it runs nothing, loads nothing and sends nothing. */
const DOCUMENT_HEADERS = {
  ...PRIVATE,
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox",
}

/** @param path of the messages */
export function addContentRoutes(app: FastifyInstance, path: string, ports: ContentPorts): void {
  const tokens = openRevealTokens(ports.sealer)
  const content = `${path}/:id/content`
  const read = { access: 'read', projectScope: 'message' } as const

  app.get<OfMessage>(content, { config: read }, async ({ params }, reply) => {
    const rendered = await renderContent(params.id, true, ports)
    return reply.headers(PRIVATE).send(shown(rendered, true, documentUrl(path, rendered)))
  })
  app.get<OfMessage>(`${content}/html`, { config: read }, async (request, reply) => {
    const { params, query } = request
    const isRevealed = mayReveal(request) && tokens.isGood(String(query.token ?? ''), revealedBy(request))
    const { html } = await renderContent(params.id, !isRevealed, ports)
    return sendDocument(reply, html)
  })
  app.post<OfMessage>(`${content}/reveal`, { config: { ...read, access: 'operate' } }, async (request, reply) => {
    const reason = readReason(request.body)
    const rendered = await renderContent(request.params.id, false, ports)
    const { id, project_id: projectId } = rendered.row
    // Written before anything is shown.
    await ports.database.transaction((tx) =>
      writeAudit(tx, {
        actor: actorOf(request),
        action: 'content.reveal',
        messageId: id,
        projectId,
        details: { reason },
      }),
    )
    const token = tokens.make(revealedBy(request))
    return reply.headers(PRIVATE).send(shown(rendered, false, `${documentUrl(path, rendered)}?token=${token}`))
  })
}

/** As a document of its own, under a policy of its own. */
export function sendDocument(reply: FastifyReply, html: string | undefined): FastifyReply {
  if (html === undefined) throw new CodedError('NOT_FOUND', 'The message has no HTML part.')
  return reply.headers(DOCUMENT_HEADERS).type('text/html; charset=utf-8').send(html)
}

function shown({ subject, text, html, headers }: RenderedContent, masked: boolean, url: string) {
  return { subject, text, html_url: html === undefined ? null : url, headers, masked }
}

function documentUrl(path: string, { row }: RenderedContent): string {
  return `${path}/${row.id}/content/html`
}

function revealedBy({ params, principal }: FastifyRequest<OfMessage>) {
  return { messageId: params.id.toLowerCase(), keyId: principal?.keyId ?? '' }
}

/** A role that was taken away takes what it showed with it. */
function mayReveal({ principal }: FastifyRequest<OfMessage>): boolean {
  return principal === undefined || grants(principal.role, 'operate')
}

/** As the audit log may keep it. @throws REQUEST_INVALID */
function readReason(body: unknown): string {
  const { reason } = readFields(body, ['reason'])
  const text = typeof reason === 'string' ? reason.trim() : ''
  if (text.length < SHORTEST_REASON || text.length > LONGEST_REASON)
    throw new CodedError(
      'REQUEST_INVALID',
      `reason: expected ${SHORTEST_REASON} to ${LONGEST_REASON} characters that say why the content has to be seen`,
      { details: { field: 'reason' } },
    )
  return maskText(text.replace(ADDRESS, '[address]'))
}
