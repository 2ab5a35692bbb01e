/** The identity API over HTTP: shapes in and out, no SQL and no rules. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { CodedError } from '#libs/errors'
import { completeFlow } from './complete-flow.ts'
import { DEFAULT_SCHEMA, SCHEMA_ID } from './identity-schema.ts'
import { logIn } from './login.ts'
import { OPENAPI } from './openapi.ts'
import type { IdentityPorts } from './ports.ts'
import { register } from './register.ts'
import type { Throttle } from './throttle.ts'
import { parseAddress, parseTraits } from './traits.ts'
import { whoami } from './whoami.ts'

const CODE = /^[0-9]{6}$/

/** @param throttle counts the requests of each client to the self-service */
export function addIdentityRoutes(app: FastifyInstance, ports: IdentityPorts, throttle: Throttle): void {
  const throttled = { preHandler: async (request: FastifyRequest) => takeOrThrow(throttle, request.ip) }

  app.post('/self-service/registration', throttled, async ({ body }, reply) => {
    const flow_id = await register(parseTraits(objectOf(body).traits), ports)
    ports.wakeRelay()
    return reply.code(201).send({ flow_id })
  })
  app.post('/self-service/login', throttled, async ({ body }, reply) => {
    const flow_id = await logIn(parseAddress(objectOf(body).identifier, 'identifier'), ports)
    ports.wakeRelay()
    return reply.code(202).send({ flow_id })
  })
  for (const kind of ['registration', 'login'] as const) {
    app.post<{ Params: { flowId: string } }>(`/self-service/${kind}/:flowId`, throttled, ({ params, body }) =>
      completeFlow(kind, params.flowId, codeOf(objectOf(body).code), ports),
    )
  }
  app.get('/sessions/whoami', throttled, (request) => whoami(sessionToken(request), ports))
  app.get<{ Params: { id: string } }>('/schemas/:id', async ({ params }) => {
    const isDefault = params.id === SCHEMA_ID || params.id === Buffer.from(SCHEMA_ID).toString('base64url')
    if (!isDefault) throw new CodedError('NOT_FOUND', 'There is no such identity schema.')
    return DEFAULT_SCHEMA
  })
  app.get('/openapi.json', async () => OPENAPI)
}

function takeOrThrow(throttle: Throttle, ip: string): void {
  const retryAfterMs = throttle.take(ip, Date.now())
  if (retryAfterMs > 0) throw new CodedError('THROTTLED', 'Too many requests from here.', { details: { retryAfterMs } })
}

function objectOf(body: unknown): Record<string, unknown> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new CodedError('REQUEST_INVALID', 'body: expected a JSON object')
  return body as Record<string, unknown>
}

function codeOf(given: unknown): string {
  if (typeof given !== 'string' || !CODE.test(given))
    throw new CodedError('REQUEST_INVALID', 'code: expected six digits as a text')
  return given
}

/** Of `X-Session-Token`, else of `Authorization: Bearer`. */
function sessionToken({ headers }: FastifyRequest): string | undefined {
  const own = headers['x-session-token']
  if (typeof own === 'string' && own !== '') return own
  return /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1]
}
