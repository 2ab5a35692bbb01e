/**
 * Lets in who may. Beyond loopback, or where a proxy shows it there, everything but public routes needs a key; on loopback whoever sits at
 * this machine may do all, and a key that is shown there counts with its role.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Database } from '#libs/database'
import { CodedError } from '#libs/errors'
import { checkLoopbackRequest, isLoopback } from '#libs/http-server'
import { accessOf, grants, type Principal, rolesWith, scopeOf } from '../access.ts'
import { findProjectIds } from '../message-repository.ts'
import type { Authenticator } from './authenticate.ts'
import { bearerOf, cookieOf, hasAuthorization, isFromHere, isSameOrigin } from './credentials.ts'
import type { FailedAttempts } from './failed-attempts.ts'
import { findProjectOfMessage } from './key-repository.ts'
import { sha256 } from './key-token.ts'

export interface GuardPorts {
  readonly database: Database
  readonly keys: Authenticator
  readonly attempts: FailedAttempts
  /** That the server listens on: only a loopback one does without keys, and only while no proxy shows it. */
  readonly host: string
  /** Under which a proxy shows the console. */
  readonly publicOrigin: string | undefined
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Before any route runs, and before its body is read. */
export function guardAccess(app: FastifyInstance, ports: GuardPorts): void {
  app.addHook('onRequest', async (request, reply) => {
    const isLocal = isFromThisMachine(request, ports)
    if (isLocal) checkLoopbackRequest(request.headers.host, request.headers.origin)
    const { url, config } = request.routeOptions
    const needed = accessOf({ url, config, method: request.method })
    if (needed === 'public') return
    const principal = await identify(request, ports)
    if (principal === undefined && isLocal && !hasAuthorization(request)) return
    if (principal === undefined) throw unauthorized(reply)
    request.principal = principal
    if (request.is404) return
    if (!grants(principal.role, needed))
      throw new CodedError(
        'ACCESS_DENIED',
        `This needs a key of role ${rolesWith(needed).join(' or ')}; the one in use is ${principal.role}.`,
      )
    if (principal.project !== undefined) await checkProject(request, principal.project, ports.database)
  })
}

/** Whether no key is needed: the server can only be reached from here, and this request was. */
export function isFromThisMachine(
  request: FastifyRequest,
  { host, publicOrigin }: Pick<GuardPorts, 'host' | 'publicOrigin'>,
): boolean {
  return needsNoKey({ host, publicOrigin }) && isFromHere(request)
}

/** Where a proxy shows the console to others, every request may be theirs: some proxies say nothing of whom they speak for. */
export function needsNoKey({ host, publicOrigin }: Pick<GuardPorts, 'host' | 'publicOrigin'>): boolean {
  return isLoopback(host) && (publicOrigin === undefined || isLoopback(new URL(publicOrigin).hostname))
}

/**
 * Of the key, else of the cookie. undefined where neither is good, or none is shown.
 * @throws THROTTLED after too many wrong keys, ACCESS_DENIED for a change that another site's page asks for by cookie
 */
export async function identify(request: FastifyRequest, ports: GuardPorts): Promise<Principal | undefined> {
  if (hasAuthorization(request)) {
    const token = bearerOf(request)
    return token === undefined ? undefined : tryKey(request.ip, token, ports.attempts, ports.keys.byToken)
  }
  const cookie = cookieOf(request)
  const principal = cookie === undefined ? undefined : await ports.keys.byCookie(cookie)
  if (principal !== undefined && !SAFE_METHODS.has(request.method)) checkOrigin(request, ports)
  return principal
}

/** Counts what fails. Cookies are not counted: nobody chooses them, so nobody guesses one. @throws THROTTLED */
export async function tryKey<T>(
  client: string,
  token: string,
  attempts: FailedAttempts,
  prove: (token: string) => Promise<T | undefined>,
): Promise<T | undefined> {
  const credential = sha256(token).toString('hex')
  const retryAfterMs = attempts.waitMs(client, credential)
  if (retryAfterMs > 0)
    throw new CodedError('THROTTLED', 'Too many wrong keys from this address.', { details: { retryAfterMs } })
  const proven = await prove(token)
  if (proven === undefined) attempts.failed(client)
  else attempts.passed(credential)
  return proven
}

/** @throws ACCESS_DENIED */
export function checkOrigin(request: FastifyRequest, { publicOrigin }: Pick<GuardPorts, 'publicOrigin'>): void {
  if (!isSameOrigin(request, publicOrigin))
    throw new CodedError(
      'ACCESS_DENIED',
      'Origin: a signed-in browser changes things from the page of this console only',
    )
}

export function unauthorized(reply: FastifyReply): CodedError {
  reply.header('www-authenticate', 'Bearer')
  return new CodedError(
    'KEY_INVALID',
    'The request could not be authorized: send a key of this console as Authorization: Bearer',
  )
}

/** @throws NOT_FOUND for what belongs to another project, ACCESS_DENIED where the route is about all of them */
async function checkProject(
  request: FastifyRequest,
  bound: NonNullable<Principal['project']>,
  database: Database,
): Promise<void> {
  const scope = scopeOf(request.routeOptions)
  if (scope === 'own') return
  if (scope === undefined)
    throw new CodedError(
      'ACCESS_DENIED',
      `This needs a key of every project; the one in use is bound to ${bound.slug}.`,
    )
  const [named = ''] = Object.values(request.params as Record<string, string>)
  // What was never an id is for the route to refuse.
  if (scope === 'message' && !UUID.test(named)) return
  const find = scope === 'message' ? findProjectOfMessage : findProject
  if ((await find(database, named)) !== bound.id) throw new CodedError('NOT_FOUND', 'Unable to locate the resource')
}

async function findProject(database: Database, idOrSlug: string): Promise<string | undefined> {
  return (await findProjectIds(database, idOrSlug))[0]
}
