import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { trace } from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { buildHttpServer } from '#libs/http-server'
import { addAdminRedirect } from '../../../services/identity/admin-redirect.ts'
import { loadIdentityConfig } from '../../../services/identity/config.ts'

const CONSOLE = 'https://console.example.org'

describe('addAdminRedirect', () => {
  let app: FastifyInstance
  let base: string

  before(async () => {
    app = buildHttpServer({
      trustCallers: false,
      telemetry: {
        log: pino({ level: 'silent' }),
        tracer: trace.getTracer('test'),
        handleMetrics: (_request, response) => response.end(),
      },
    })
    addAdminRedirect(app, CONSOLE)
    base = await app.listen({ host: '127.0.0.1', port: 0 })
  })
  after(() => app.close())

  for (const [method, path] of [
    ['GET', '/admin/courier/messages'],
    ['GET', '/admin/courier/messages?page_size=3&recipient=a%40example.org'],
    ['GET', '/admin/courier/messages/019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f'],
    ['POST', '/admin/courier/messages'],
    ['POST', '/admin/courier/messages/019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f/retry'],
    ['DELETE', '/admin/courier/messages/x?y=//evil.example'],
  ] as const) {
    it(`sends ${method} ${path} to the console`, async () => {
      const body = method === 'POST' ? { body: 'a=1', headers: { 'content-type': 'text/unknown' } } : {}
      const response = await fetch(base + path, { method, redirect: 'manual', ...body })
      assert.equal(response.status, 307)
      assert.equal(response.headers.get('location'), CONSOLE + path)
    })
  }

  it('sends nothing else away', async () => {
    assert.equal((await fetch(`${base}/admin/courier`, { redirect: 'manual' })).status, 404)
    assert.equal((await fetch(`${base}/courier/messages`, { redirect: 'manual' })).status, 404)
  })
})

describe('loadIdentityConfig', () => {
  const env = { DATABASE_URL: 'postgres://localhost/x', SECRETS_CIPHER: 'a secret of the identity tests' }

  it('finds the console at its public URL, else on this machine', () => {
    assert.equal(loadIdentityConfig(env).consoleUrl, 'http://127.0.0.1:4434')
    assert.equal(loadIdentityConfig({ ...env, POSTRIDER_CONSOLE_PORT: '5001' }).consoleUrl, 'http://127.0.0.1:5001')
    const behindProxy = { ...env, POSTRIDER_CONSOLE_PUBLIC_URL: `${CONSOLE}/` }
    assert.equal(loadIdentityConfig(behindProxy).consoleUrl, CONSOLE)
  })
})
