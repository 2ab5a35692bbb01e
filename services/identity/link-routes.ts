/**
 * Verification and recovery end here, by a link in a browser or by an API client. Mail scanners open links before their readers do:
 * a verification may be opened again and again, and a recovery hands its session out only after a button was pressed, or to a client
 * that asks for JSON by name.
 */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify'
import { CodedError } from '#libs/errors'
import { errorAnswer } from '#libs/http-server'
import { isUuid } from '#libs/messages'
import { checkNotOver, completeFlow } from './complete-flow.ts'
import { type Page, sendPage } from './page.ts'
import type { IdentityPorts } from './ports.ts'
import { codeOf, objectOf } from './read-body.ts'

type ProofKind = 'verification' | 'recovery'
type Outcome = Record<string, unknown>

/** 256 bits in base64url. */
const TOKEN = /^[A-Za-z0-9_-]{43}$/

/** @param throttled counts the requests of a client */
export function addLinkRoutes(app: FastifyInstance, ports: IdentityPorts, throttled: RouteShorthandOptions): void {
  const options: RouteShorthandOptions = { ...throttled, exposeHeadRoute: false, errorHandler: tellError }
  // In a scope of its own, since no other route takes forms: a page elsewhere can send those without asking.
  app.register(async (scope) => {
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    )
    for (const kind of ['verification', 'recovery'] as const) {
      scope.get<{ Querystring: Outcome }>(`/self-service/${kind}`, options, (request, reply) =>
        openLink(kind, request, reply, ports),
      )
      scope.post<{ Params: { flowId: string } }>(`/self-service/${kind}/:flowId`, options, async (request, reply) => {
        checkSameSite(request)
        const outcome = await completeFlow(kind, request.params.flowId, secretOf(objectOf(request.body)), ports)
        return answer(kind, outcome, request, reply)
      })
    }
  })
}

async function openLink(
  kind: ProofKind,
  request: FastifyRequest<{ Querystring: Outcome }>,
  reply: FastifyReply,
  ports: IdentityPorts,
): Promise<FastifyReply> {
  const { flow } = request.query
  if (typeof flow !== 'string' || !isUuid(flow))
    throw new CodedError('REQUEST_INVALID', 'flow: expected a UUID; the link seems to be cut off')
  const secret = kind === 'recovery' ? tokenOf(request.query.token) : secretOf(request.query)
  if (kind === 'recovery' && !accepts(request, 'application/json')) {
    await checkNotOver(kind, flow, secret, ports)
    return askFirst(flow, secret, request, reply)
  }
  return answer(kind, await completeFlow(kind, flow, secret, ports), request, reply)
}

/** Spends nothing: whoever opened the link may be a program that looks for harm. */
function askFirst(flow: string, token: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (accepts(request, 'text/html'))
    return sendPage(reply, 200, {
      title: 'Recover your account',
      text: 'Press the button to sign in. The link works once.',
      form: { action: `recovery/${flow}`, fields: { token }, button: 'Sign in' },
    })
  return reply.header('cache-control', 'no-store').send({
    flow_id: flow,
    state: 'sent_email',
    message: 'Ask again with Accept: application/json, or POST the token to the flow, to get a session token.',
  })
}

function answer(kind: ProofKind, outcome: Outcome, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (accepts(request, 'text/html')) return sendPage(reply, 200, pageOf(kind, outcome))
  return reply.header('cache-control', 'no-store').send(outcome)
}

function pageOf(kind: ProofKind, outcome: Outcome): Page {
  if (kind === 'recovery')
    return {
      title: 'You are signed in',
      text: 'This is your session token, shown once. Send it as X-Session-Token.',
      copy: String(outcome.session_token),
    }
  return outcome.already_verified === true
    ? { title: 'Already verified', text: 'This link was used before: your address is verified already.' }
    : { title: 'Address verified', text: 'Thank you. Your address is verified, and you can close this page.' }
}

/** An error as a page where a browser asked; otherwise, and where the failure is ours, as everywhere. */
function tellError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const { status, headers, body } = errorAnswer(error)
  if (status >= 500 || !accepts(request, 'text/html')) {
    reply.send(error)
    return
  }
  sendPage(reply.headers(headers), status, { title: body.error.status, text: body.error.message })
}

/** A form of another site must not sign anybody in. Programs send no such header. */
function checkSameSite({ headers }: FastifyRequest): void {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new CodedError('REQUEST_INVALID', 'Sec-Fetch-Site: requests of other sites are refused')
}

function accepts({ headers }: FastifyRequest, type: 'text/html' | 'application/json'): boolean {
  return headers.accept?.toLowerCase().includes(type) === true
}

function secretOf({ code, token }: Outcome): string {
  return token === undefined ? codeOf(code) : tokenOf(token)
}

function tokenOf(given: unknown): string {
  if (typeof given !== 'string' || !TOKEN.test(given))
    throw new CodedError('REQUEST_INVALID', 'token: expected the 43 characters of the link; it seems to be cut off')
  return given
}
