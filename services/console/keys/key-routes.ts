/** Keys over HTTP, and the sign-in of the page: shapes in and out, no SQL. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { CodedError } from '#libs/errors'
import type { Telemetry } from '#libs/telemetry'
import { actorOf, type Principal } from '../access.ts'
import { SIGN_IN_MS } from './authenticate.ts'
import { COOKIE, cookieOf } from './credentials.ts'
import { checkOrigin, type GuardPorts, identify, isFromThisMachine, tryKey, unauthorized } from './guard-access.ts'
import { createKey, endKey, readKeyRequest, shownKeys } from './manage-keys.ts'

export interface KeyPorts extends GuardPorts {
  readonly log: Telemetry['log']
}

const KEYS = '/admin/keys'
const SIGN_IN = '/session'
const MOST_KEY = 500
/** Of a sign-in, which anybody may send. */
const SIGN_IN_LIMIT_BYTES = 4 * 1024
const PRIVATE = { 'cache-control': 'no-store' }

export function addKeyRoutes(app: FastifyInstance, ports: KeyPorts): void {
  const { database, log } = ports
  const config = { access: 'configure' } as const

  app.get(KEYS, { config }, () => shownKeys(database))
  app.post(KEYS, { config }, async (request, reply) => {
    const { body, principal } = request
    const key = await createKey(database, readKeyRequest(body), actorOf(request))
    log.info({ key_id: key.id, role: key.role, by: principal?.keyId ?? 'local' }, 'key created')
    return reply.code(201).headers(PRIVATE).send(key)
  })
  app.delete<{ Params: { id: string } }>(`${KEYS}/:id`, { config }, async (request, reply) => {
    const { params, principal } = request
    await endKey(database, params.id, actorOf(request))
    log.info({ key_id: params.id, by: principal?.keyId ?? 'local' }, 'key revoked')
    return reply.code(204).send()
  })
  addSignIn(app, ports)
}

/** Public, since it is how a browser comes by what the other routes ask for. */
function addSignIn(app: FastifyInstance, ports: KeyPorts): void {
  const config = { access: 'public' } as const

  app.get(SIGN_IN, { config }, async (request, reply) => {
    const principal = await identify(request, ports)
    if (principal === undefined && !isFromThisMachine(request, ports)) throw unauthorized(reply)
    return reply.headers(PRIVATE).send(shown(principal))
  })
  app.post(SIGN_IN, { config, bodyLimit: SIGN_IN_LIMIT_BYTES }, async (request, reply) => {
    // Else another site's page could sign a browser in with a key of its own choice.
    if (isFromPage(request)) checkOrigin(request, ports)
    const signedIn = await tryKey(request.ip, keyOf(request.body), ports.attempts, ports.keys.signIn)
    if (signedIn === undefined) throw unauthorized(reply)
    const cookie = cookieText(signedIn.cookie, SIGN_IN_MS / 1_000, ports)
    return reply.headers(PRIVATE).header('set-cookie', cookie).send(shown(signedIn.principal))
  })
  app.delete(SIGN_IN, { config }, async (request, reply) => {
    if (isFromPage(request)) checkOrigin(request, ports)
    const cookie = cookieOf(request)
    if (cookie !== undefined) await ports.keys.signOut(cookie)
    return reply
      .code(204)
      .header('set-cookie', cookieText('', 0, ports))
      .send()
  })
}

function isFromPage({ headers }: FastifyRequest): boolean {
  return headers.origin !== undefined || headers['sec-fetch-site'] !== undefined
}

function shown(principal: Principal | undefined) {
  if (principal === undefined) return { name: 'local', role: 'admin', project: null }
  return { name: principal.name, role: principal.role, project: principal.project?.slug ?? null }
}

function keyOf(body: unknown): string {
  const key = typeof body === 'object' && body !== null && 'key' in body ? body.key : undefined
  if (typeof key !== 'string' || key === '' || key.length > MOST_KEY)
    throw new CodedError('REQUEST_INVALID', 'key: expected the text of a key')
  return key.trim()
}

/** Out of reach of scripts and of other sites; over TLS alone where the console is reached by it. */
function cookieText(value: string, maxAgeS: number, { publicOrigin }: Pick<GuardPorts, 'publicOrigin'>): string {
  const secure = publicOrigin?.startsWith('https:') ? '; Secure' : ''
  return `${COOKIE}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Strict${secure}`
}
