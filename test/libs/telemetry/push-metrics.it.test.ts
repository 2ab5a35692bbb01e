import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { waitFor } from '../../support/servers.ts'

/** Counts something, and lives for as long as its input. */
const SCRIPT = `
import { startTelemetry } from '#libs/telemetry'
await using telemetry = await startTelemetry('probe', { env: process.env, instance: 'probe-1' })
telemetry.meter.createCounter('probe.things', { unit: '{thing}' }).add(3)
await new Promise((resolve) => process.stdin.on('end', resolve).resume())
`

async function openCollector(t: TestContext) {
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
    if (request.url === '/v1/metrics') bodies.push(plain.toString('latin1'))
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { bodies, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

function startProbe(t: TestContext, env: Record<string, string>) {
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', SCRIPT], {
    env: { PATH: process.env.PATH ?? '', LOG_LEVEL: 'silent', ...env },
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  return {
    end: async () => {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
      return child.exitCode
    },
  }
}

describe('startTelemetry', () => {
  it('pushes metrics by OTLP where an endpoint is set: again and again, and at the end', async (t) => {
    const { endpoint, bodies } = await openCollector(t)
    const probe = startProbe(t, { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_METRIC_EXPORT_INTERVAL: '100' })
    await waitFor(() => bodies.length >= 2, { timeoutMs: 30_000 })
    const before = bodies.length
    assert.equal(await probe.end(), 0)
    assert.ok(bodies.length > before)
    assert.ok(bodies.every((body) => body.includes('postrider-probe')))
    assert.ok(bodies.some((body) => body.includes('probe.things') && body.includes('nodejs.eventloop.delay.p99')))
  })

  it('pushes none where OTEL_METRICS_EXPORTER says none', async (t) => {
    const { endpoint, bodies } = await openCollector(t)
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_METRIC_EXPORT_INTERVAL: '100' }
    const probe = startProbe(t, { ...env, OTEL_METRICS_EXPORTER: 'none' })
    assert.equal(await probe.end(), 0)
    assert.deepEqual(bodies, [])
  })

  it('ends in time though its collector is away', { timeout: 30_000 }, async (t) => {
    const probe = startProbe(t, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })
    assert.equal(await probe.end(), 0)
  })
})
