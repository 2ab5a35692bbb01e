import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fastify from 'fastify'
import { measureRequests } from '../../../libs/http-server/measure-requests.ts'
import { openMeter } from '../telemetry/memory-meter.ts'

describe('measureRequests', () => {
  it('tells answers by method, route and status, never by address, and leaves probes and scrapes out', async () => {
    const { install, read } = openMeter()
    install()
    const app = fastify()
    measureRequests(app)
    app.get('/messages/:id', async () => 'ok')
    app.get('/health/alive', async () => 'ok')
    await app.inject('/messages/1')
    await app.inject('/messages/2')
    await app.inject({ method: 'PUT', url: '/planted' })
    await app.inject('/health/alive')
    await app.close()
    assert.deepEqual(await read('http.server.request.duration'), {
      'http.request.method=GET,http.response.status_code=200,http.route=/messages/:id': 2,
      'http.request.method=_OTHER,http.response.status_code=404': 1,
    })
  })
})
