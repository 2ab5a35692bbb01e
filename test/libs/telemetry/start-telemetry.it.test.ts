import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { startTelemetry } from '#libs/telemetry'
import { openOtlpReceiver } from '../../support/otlp-receiver.ts'
import { freePort, waitFor } from '../../support/servers.ts'

/** A process that starts telemetry, makes one span, one count and one log line, and ends at the end of its input. */
const SCRIPT = `
import { startTelemetry, traceparentOf } from '#libs/telemetry'
{
  await using telemetry = await startTelemetry('probe', {
    env: process.env, instance: 'probe-1', metricsPort: Number(process.env.PROBE_PORT),
  })
  telemetry.meter.createCounter('probe.things', { unit: '{thing}' }).add(3)
  const span = telemetry.tracer.startSpan('probe', { startTime: Date.now() + 0.1234567 })
  telemetry.log.info({ password: 'planted', traceparent: traceparentOf(span), tracing: telemetry.tracing }, 'probed')
  span.end()
  if (process.env.PROBE_READY) telemetry.setReady(() => ({ part: { ok: true } }))
  await new Promise((resolve) => process.stdin.on('end', resolve).resume())
}
`

async function startProbe(t: TestContext, env: Record<string, string> = {}) {
  const port = await freePort()
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', SCRIPT], {
    env: { PATH: process.env.PATH ?? '', PROBE_PORT: String(port), ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const output = { out: '', err: '' }
  child.stdout.on('data', (chunk) => {
    output.out += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.err += chunk
  })
  await waitFor(() => output.out.includes('probed'), { timeoutMs: 20_000, message: 'the probe does not start' })
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
  const end = async () => {
    child.stdin.end()
    await once(child, 'exit')
    return output
  }
  return { get, end, line: () => JSON.parse(output.out) }
}

describe('startTelemetry', () => {
  it('serves health and metrics, and says nothing without a collector', async (t) => {
    const probe = await startProbe(t)
    assert.equal((await probe.get('/health/alive')).status, 200)
    assert.equal((await probe.get('/health/ready')).status, 503)
    assert.match(await (await probe.get('/metrics')).text(), /^probe_things_total(\{[^}]*\})? 3$/m)
    assert.equal((await probe.get('/else')).status, 404)
    const { traceparent, tracing, level, password } = probe.line()
    assert.match(traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    assert.deepEqual([tracing, level, password], [false, 'info', '[redacted]'])
    const { out, err } = await probe.end()
    assert.equal(out.trim().split('\n').length, 1)
    assert.equal(err, '')
  })

  it('is ready once every part says so', async (t) => {
    const probe = await startProbe(t, { PROBE_READY: '1' })
    const response = await waitFor(async () => {
      const asked = await probe.get('/health/ready')
      return asked.ok ? asked : undefined
    })
    assert.deepEqual(await response.json(), { status: 'ok', parts: { part: { ok: true } } })
  })

  it('exports spans by OTLP where an endpoint is set, at the latest when it ends', async (t) => {
    await using receiver = await openOtlpReceiver()
    const probe = await startProbe(t, { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint })
    await probe.end()
    await receiver.waitForSpans((spans) => spans.length > 0)
    const [span] = receiver.spans()
    assert.equal(span?.name, 'probe')
    assert.equal(span?.service, 'postrider-probe')
    assert.equal(probe.line().traceparent, `00-${span?.traceId}-${span?.spanId}-01`)
  })

  it('exports spans to Zipkin where one is named, in times that it takes', async (t) => {
    const bodies: { name: string; timestamp: number }[][] = []
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      bodies.push(JSON.parse(body))
      response.writeHead(202).end()
    }).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v2/spans`
    const probe = await startProbe(t, { OTEL_EXPORTER_ZIPKIN_ENDPOINT: endpoint })
    await probe.end()
    const [span] = bodies.flat()
    assert.equal(span?.name, 'probe')
    assert.ok(Number.isInteger(span?.timestamp), `${span?.timestamp} µs`)
  })

  it('refuses an exporter that it does not know', async () => {
    const env = { OTEL_TRACES_EXPORTER: 'otlp, jaeger' }
    await assert.rejects(startTelemetry('probe', { env, instance: 'probe-1' }), {
      code: 'CONFIG_INVALID',
      message: 'OTEL_TRACES_EXPORTER: found jaeger, allowed otlp, zipkin, none',
    })
  })

  it('keeps no process alive for a collector that is away', async (t) => {
    const probe = await startProbe(t, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' })
    await probe.end()
  })
})
