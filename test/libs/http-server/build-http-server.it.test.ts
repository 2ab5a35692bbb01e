import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { trace } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { CodedError } from '#libs/errors'
import { buildHttpServer } from '#libs/http-server'

const PLANTED = 'ada.planted@example.org'

describe('buildHttpServer', () => {
  let app: FastifyInstance
  let base: string
  const logged: string[] = []

  before(async () => {
    app = buildHttpServer({
      trustCallers: false,
      bodyLimitBytes: 1_000,
      telemetry: {
        log: pino({ level: 'error' }, { write: (line: string) => logged.push(line) }),
        tracer: trace.getTracer('test'),
        handleMetrics: (_request, response) => response.end('metrics'),
      },
    })
    app.post('/echo', async ({ body }) => ({ body }))
    app.post('/act', { config: { takesEmptyBody: true } }, async ({ body }) => ({ body }))
    app.get('/wrong', async () => {
      throw new CodedError('REQUEST_INVALID', 'name: expected a text', { details: { field: 'name' } })
    })
    app.get('/throttled', async () => {
      throw new CodedError('THROTTLED', 'Too many.', { details: { retryAfterMs: 1_200 } })
    })
    app.get('/bug', async () => {
      throw new TypeError(`cannot read ${PLANTED}`)
    })
    app.get('/refused', async () => {
      throw Object.assign(new Error(`invalid input: ${PLANTED}`), { code: '22P02' })
    })
    app.get('/null', async () => {
      throw Object.assign(new Error(`invalid byte sequence: ${PLANTED}`), { code: '22021' })
    })
    app.get('/away', async () => {
      throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    })
    base = await app.listen({ host: '127.0.0.1', port: 0 })
  })
  after(() => app.close())

  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(base + path, init)
    return { status: response.status, headers: response.headers, text: await response.text() }
  }
  const post = (body: string, type = 'application/json') =>
    ask('/echo', { method: 'POST', body, headers: { 'content-type': type } })

  it('answers JSON with a charset on success, and errors in the shape of Ory', async () => {
    const right = await post('{"a":1}')
    assert.equal(right.status, 200)
    assert.equal(right.headers.get('content-type'), 'application/json; charset=utf-8')
    const wrong = await ask('/wrong')
    assert.equal(wrong.status, 400)
    assert.equal(wrong.headers.get('content-type'), 'application/json')
    assert.deepEqual(JSON.parse(wrong.text), {
      error: { code: 400, status: 'Bad Request', message: 'name: expected a text', details: { field: 'name' } },
    })
  })

  for (const [what, body, type, status] of [
    ['no JSON', '{"a":', 'application/json', 400],
    ['an empty body', '', 'application/json', 400],
    ['a body over the limit', `"${'x'.repeat(1_000)}"`, 'application/json', 413],
    ['another content type', 'a=1', 'application/x-www-form-urlencoded', 415],
  ] as const) {
    it(`refuses ${what} with ${status}`, async () => {
      const answer = await post(body, type)
      assert.equal(answer.status, status)
      assert.equal(JSON.parse(answer.text).error.code, status)
    })
  }

  it('takes an empty body for {} where the route says so, and nothing else that is no JSON', async () => {
    const act = (body: string) =>
      ask('/act', { method: 'POST', body, headers: { 'content-type': 'application/json; charset=utf-8' } })
    assert.deepEqual([(await act('')).status, (await act('')).text], [200, '{"body":{}}'])
    assert.equal((await act('{"a":1}')).text, '{"body":{"a":1}}')
    for (const body of [' ', '{', '{"__proto__":1}']) assert.equal((await act(body)).status, 400, body)
  })

  it('says which type of body it expects', async () => {
    const { message } = JSON.parse((await post('a=1', 'application/x-www-form-urlencoded')).text).error
    assert.equal(message, 'Content-Type: expected application/json with a body of JSON')
  })

  it('tells when to come back', async () => {
    const answer = await ask('/throttled')
    assert.equal(answer.status, 429)
    assert.equal(answer.headers.get('retry-after'), '2')
    assert.equal('details' in JSON.parse(answer.text).error, false)
    assert.equal((await ask('/away')).status, 503)
  })

  it('keeps the words of unexpected errors inside, and those of the database out of the log too', async () => {
    for (const path of ['/bug', '/refused']) {
      const answer = await ask(path)
      assert.equal(answer.status, 500)
      assert.ok(!answer.text.includes(PLANTED))
    }
    const refused = logged.find((line) => line.includes('22P02'))
    assert.ok(refused !== undefined && !refused.includes(PLANTED))
  })

  it('blames the caller for a character that the database cannot keep, without its words', async () => {
    const answer = await ask('/null')
    assert.equal(answer.status, 400)
    assert.match(answer.text, /U\+0000/)
    assert.ok(!answer.text.includes(PLANTED))
  })

  it('gives a request a minute to come whole', () => {
    assert.equal(app.server.requestTimeout, 60_000)
  })

  it('answers unknown paths, health and metrics', async () => {
    const missing = await ask('/none?token=1')
    assert.equal(JSON.parse(missing.text).error.code, 404)
    assert.ok(!missing.text.includes('token'))
    assert.equal(missing.headers.get('content-type'), 'application/json')
    assert.equal((await ask('/health/alive')).status, 200)
    assert.equal((await ask('/metrics')).text, 'metrics')
  })
})
