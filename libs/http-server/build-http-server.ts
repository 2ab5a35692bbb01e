import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { pgCode } from '#libs/database'
import { messageOf } from '#libs/errors'
import { contextOf, parseTraceparent, type Telemetry } from '#libs/telemetry'
import { type ErrorAnswer, errorAnswer } from './error-body.ts'
import { measureRequests } from './measure-requests.ts'
import { parseJson } from './parse-json.ts'

export interface HttpServerOptions {
  readonly telemetry: Pick<Telemetry, 'log' | 'tracer' | 'handleMetrics'>
  /** Whether a caller's trace is continued; a stranger's is only linked. */
  readonly trustCallers: boolean
  /** Largest body. @default 64 KiB */
  readonly bodyLimitBytes?: number
}

const SMALL_BODY_BYTES = 64 * 1024
/** Until a request has come whole: whoever sends a byte now and then must not hold a connection for good. */
const REQUEST_MS = 60_000

/** A server without routes but `/health/*` and `/metrics`; not listening yet. */
export function buildHttpServer(options: HttpServerOptions): FastifyInstance {
  const { telemetry } = options
  const app = fastify({
    bodyLimit: options.bodyLimitBytes ?? SMALL_BODY_BYTES,
    requestTimeout: REQUEST_MS,
    // A keep-alive client must not hold a drain up.
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
  })
  parseJson(app)
  traceRequests(app, options)
  measureRequests(app)
  app.setErrorHandler((error, request, reply) => {
    const { status, headers, body } = errorAnswer(error)
    if (status >= 500) telemetry.log.error(failureOf(error, request), 'request failed')
    return sendError(reply.code(status).headers(headers), body)
  })
  app.setNotFoundHandler((request, reply) => {
    const message = `${request.method} ${request.url.split('?')[0]}: no such resource`
    sendError(reply.code(404), { error: { code: 404, status: 'Not Found', message } })
  })
  app.get('/health/alive', async () => ({ status: 'ok' }))
  app.get('/metrics', (request, reply) => {
    reply.hijack()
    telemetry.handleMetrics(request.raw, reply.raw)
  })
  return app
}

/** Bytes, since a text would get a charset that Ory's errors do not have. */
function sendError(reply: FastifyReply, body: ErrorAnswer['body']): FastifyReply {
  return reply.type('application/json').send(Buffer.from(JSON.stringify(body)))
}

/** Where it failed and how, without what it failed on: messages of the database quote values. */
function failureOf(error: unknown, request: FastifyRequest): Record<string, unknown> {
  const code = pgCode(error)
  const route = `${request.method} ${request.routeOptions.url ?? ''}`
  const stack =
    error instanceof Error ? error.stack?.split('\n').filter((line) => line.startsWith('    at ')) : undefined
  return { route, reason: code ?? messageOf(error), stack: stack?.slice(0, 8) }
}

/** One SERVER span per request, active while its handler runs. */
function traceRequests(app: FastifyInstance, { telemetry, trustCallers }: HttpServerOptions): void {
  const spans = new WeakMap<FastifyRequest, Span>()
  app.addHook('onRequest', (request, _reply, done) => {
    const route = request.routeOptions.url
    if (route !== undefined && !/^\/(health|metrics)/.test(route)) spans.set(request, startSpan(request, route))
    done()
  })
  // Only here, behind the parsing of the body: its events come in the context of the connection.
  app.addHook('preHandler', (request, _reply, done) => {
    const span = spans.get(request)
    if (span === undefined) done()
    else context.with(trace.setSpan(context.active(), span), done)
  })
  app.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request)
    span?.setAttribute('http.response.status_code', reply.statusCode)
    if (reply.statusCode >= 500)
      span?.setAttribute('error.type', String(reply.statusCode)).setStatus({ code: SpanStatusCode.ERROR })
    span?.end()
    done()
  })

  function startSpan(request: FastifyRequest, route: string): Span {
    const traceparent = headerOf(request, 'traceparent')
    const caller = parseTraceparent(traceparent)
    return telemetry.tracer.startSpan(
      `${request.method} ${route}`,
      {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': request.method, 'http.route': route, 'url.scheme': request.protocol },
        links: caller !== undefined && !trustCallers ? [{ context: caller }] : [],
      },
      contextOf(trustCallers ? traceparent : '', headerOf(request, 'tracestate')),
    )
  }
}

function headerOf(request: FastifyRequest, name: string): string {
  const value = request.headers[name]
  return typeof value === 'string' ? value : ''
}
