/** The identity API over HTTP: shapes in and out, no SQL and no rules. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { CodedError } from '#libs/errors'
import { changeTraits } from './change-traits.ts'
import { completeFlow } from './complete-flow.ts'
import { DEFAULT_SCHEMA, SCHEMA_ID } from './identity-schema.ts'
import { addLinkRoutes } from './link-routes.ts'
import { OPENAPI } from './openapi.ts'
import type { IdentityPorts } from './ports.ts'
import { codeOf, methodOf, objectOf } from './read-body.ts'
import { register } from './register.ts'
import { startForOwner } from './start-for-owner.ts'
import type { Throttle } from './throttle.ts'
import { parseTarget, parseTraits, type Traits } from './traits.ts'
import { type UserRequest, userRequestOf } from './user-request.ts'
import { whoami } from './whoami.ts'

/** @param throttle counts the requests of each client to the self-service */
export function addIdentityRoutes(app: FastifyInstance, ports: IdentityPorts, throttle: Throttle): void {
  const throttled = { preHandler: async (request: FastifyRequest) => takeOrThrow(throttle, request.ip) }
  addStartRoutes(app, ports, throttled)
  for (const kind of ['registration', 'login'] as const) {
    app.post<{ Params: { flowId: string } }>(`/self-service/${kind}/:flowId`, throttled, ({ params, body }) =>
      completeFlow(kind, params.flowId, codeOf(objectOf(body).code), ports),
    )
  }
  addLinkRoutes(app, ports, throttled)
  app.patch<{ Params: { id: string } }>('/identities/:id', throttled, async (request) => {
    const body = objectOf(request.body)
    const changed = await changeTraits(
      {
        token: sessionToken(request),
        identityId: request.params.id,
        traits: body.traits,
        request: contextOf(request, body, ports),
      },
      ports,
    )
    ports.wakeRelay()
    return changed
  })
  app.get('/sessions/whoami', throttled, (request) => whoami(sessionToken(request), ports))
  app.get<{ Params: { id: string } }>('/schemas/:id', async ({ params }) => {
    const isDefault = params.id === SCHEMA_ID || params.id === Buffer.from(SCHEMA_ID).toString('base64url')
    if (!isDefault) throw new CodedError('NOT_FOUND', 'There is no such identity schema.')
    return DEFAULT_SCHEMA
  })
  app.get('/openapi.json', async () => OPENAPI)
}

function addStartRoutes(
  app: FastifyInstance,
  ports: IdentityPorts,
  throttled: { preHandler: (request: FastifyRequest) => Promise<void> },
): void {
  app.post('/self-service/registration', throttled, async (request, reply) => {
    const body = objectOf(request.body)
    const flow_id = await register(traitsOf(body), contextOf(request, body, ports), ports)
    ports.wakeRelay()
    return reply.code(201).send({ flow_id })
  })
  for (const kind of ['login', 'recovery', 'verification'] as const) {
    app.post(`/self-service/${kind}`, throttled, async (request, reply) => {
      const body = objectOf(request.body)
      const target = parseTarget(body)
      const method = kind === 'login' ? 'code' : methodOf(body.method, target)
      const flow_id = await startForOwner(kind, { target, method, request: contextOf(request, body, ports) }, ports)
      ports.wakeRelay()
      return reply.code(202).send({ flow_id })
    })
  }
}

function takeOrThrow(throttle: Throttle, ip: string): void {
  const retryAfterMs = throttle.take(ip, Date.now())
  if (retryAfterMs > 0) throw new CodedError('THROTTLED', 'Too many requests from here.', { details: { retryAfterMs } })
}

function contextOf(request: FastifyRequest, body: Record<string, unknown>, { settings }: IdentityPorts): UserRequest {
  return userRequestOf(request, body, settings.headerAllowlist)
}

/** `{"traits"}`, or `{"email"}` or `{"phone"}` alone. */
function traitsOf({ traits, email, phone }: Record<string, unknown>): Traits {
  const short = { ...(email !== undefined && { email }), ...(phone !== undefined && { phone }) }
  if (Object.keys(short).length === 0) return parseTraits(traits)
  if (traits === undefined) return parseTraits(short)
  throw new CodedError('REQUEST_INVALID', 'body: expected traits, or email and phone in their place')
}

/** Of `X-Session-Token`, else of `Authorization: Bearer`. */
function sessionToken({ headers }: FastifyRequest): string | undefined {
  const own = headers['x-session-token']
  if (typeof own === 'string' && own !== '') return own
  return /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1]
}
