/** The traces of mails as an operator finds them in a trace backend: whole, connected, with times and errors. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { waitFor } from '../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../support/smtp-sink.ts'
import { openSystem, type System } from '../support/system.ts'
import { openZipkinServer, type ZipkinServer, type ZipkinSpan } from '../support/zipkin-server.ts'

const MESSAGES = '/admin/courier/messages'
const OF_A_REQUEST = ['create', 'relay', 'process', 'claim', 'attempt', 'render', 'smtp', 'send', 'process', 'insert']

describe('a trace in Zipkin', () => {
  let zipkin: ZipkinServer
  let sink: SmtpSink
  let system: System
  before(async () => {
    sink = await openSmtpSink()
    zipkin = await openZipkinServer()
    system = await openSystem({
      env: {
        OTEL_TRACES_EXPORTER: 'zipkin',
        OTEL_EXPORTER_ZIPKIN_ENDPOINT: `${zipkin.url}/api/v2/spans`,
        COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${sink.port}/?disable_starttls=true`,
        POSTRIDER_COURIER_RETRY_SCHEDULE: '1s',
        POSTRIDER_TELEMETRY_TRACE_URL: `${zipkin.url}/zipkin/traces/{trace_id}`,
      },
    })
  })
  after(async () => {
    await system?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
    await zipkin?.[Symbol.asyncDispose]()
  })

  async function post(recipient: string): Promise<string> {
    const template_data = { subject: 'Hello', body: 'A line of text.\n' }
    const message = { recipient, template_type: 'stub', template_data }
    const { status, body } = await system.request('POST', `${system.console}${MESSAGES}`, message)
    assert.equal(status, 202)
    return body.id
  }

  /** The message's trace, found by its id, once its last state is projected and no span lacks its parent. */
  async function traceOf(id: string, outcome: string): Promise<ZipkinSpan[]> {
    const { trace_id } = await system.messageIn(id, outcome)
    let spans: ZipkinSpan[] = []
    const isLast = ({ name, tags }: ZipkinSpan) =>
      /^process .*delivery-status/.test(name) && tags?.['courier.outcome'] === outcome
    const isWhole = async () => {
      spans = await zipkin.trace(trace_id)
      return spans.some(isLast) && orphansOf(spans).length === 0
    }
    const found = () => spans.map(({ name }) => name).join(', ')
    await waitFor(isWhole, { timeoutMs: 20_000, message: () => `no whole trace of the message; found ${found()}` })
    assert.deepEqual(await zipkin.tracesWith('courier.message.id', id), [trace_id])
    return spans
  }

  it('of a registration is one tree through all services', { timeout: 60_000 }, async () => {
    const started = await system.request('POST', `${system.identity}/self-service/registration`, {
      traits: { email: 'traced@example.org', name: 'Planted Name' },
    })
    assert.equal(started.status, 201)
    const mail = await waitFor(() => sink.mails.find(({ to }) => to === 'traced@example.org'), { timeoutMs: 30_000 })
    const spans = await traceOf(mail.messageId.slice(1).split('@')[0]!, 'sent')
    assertTree(spans, 'post /self-service/registration')
    assert.deepEqual(
      servicesOf(spans),
      ['courier', 'identity', 'projector', 'relay'].map((name) => `postrider-${name}`),
    )
    assert.deepEqual(
      OF_A_REQUEST.filter((word) => !spans.some(({ name }) => name.startsWith(word))),
      [],
    )
    assert.deepEqual(failedOf(spans), [])
    const told = JSON.stringify(spans)
    for (const planted of ['traced@', 'Planted', /\b[0-9]{6}\b/.exec(mail.raw)![0]])
      assert.ok(!told.includes(planted), 'spans carry nothing personal')
  })

  it('of a mail that was deferred three times shows each attempt', { timeout: 60_000 }, async () => {
    const id = await post('defer-3-then-ok@example.org')
    const spans = await traceOf(id, 'sent')
    assertTree(spans, `post ${MESSAGES}`)
    const attempts = spans.filter(({ name }) => name === 'attempt').sort((a, b) => a.timestamp - b.timestamp)
    assert.deepEqual(
      attempts.map(({ tags }) => [tags?.['courier.attempt'], tags?.['error.type']]),
      [
        ['1', '451'],
        ['2', '451'],
        ['3', '451'],
        ['4', undefined],
      ],
    )
    const annotations = spans.flatMap(({ annotations = [] }) => annotations.map(({ value }) => value))
    assert.equal(annotations.filter((value) => value.startsWith('courier.retry_scheduled')).length, 3)
    const [first, last] = [Math.min(...starts(spans)), Math.max(...starts(spans))]
    assert.ok(last - first >= 3_000_000, 'one trace over all of its retries')
  })

  it('of an abandoned mail is found by its outcome, with the error', { timeout: 60_000 }, async () => {
    const id = await post('reject-550@example.org')
    const spans = await traceOf(id, 'abandoned')
    assertTree(spans, `post ${MESSAGES}`)
    assert.deepEqual(failedOf(spans), ['attempt', `smtp send 127.0.0.1:${sink.port}`])
    for (const { name, tags } of spans) if (failedOf(spans).includes(name)) assert.equal(tags?.['error.type'], '550')
    assert.ok((await zipkin.tracesWith('courier.outcome', 'abandoned')).includes(spans[0]!.traceId))
  })
})

function orphansOf(spans: readonly ZipkinSpan[]): string[] {
  const ids = new Set(spans.map(({ id }) => id))
  return spans.flatMap(({ name, parentId }) => (parentId === undefined || ids.has(parentId) ? [] : [name]))
}

function assertTree(spans: readonly ZipkinSpan[], root: string): void {
  assert.deepEqual(orphansOf(spans), [])
  assert.deepEqual(
    spans.filter(({ parentId }) => parentId === undefined).map(({ name }) => name),
    [root],
  )
  // Zipkin leaves out what took no time.
  for (const { name, timestamp, duration = 0 } of spans) assert.ok(timestamp > 0 && duration >= 0, name)
  for (const lasting of ['post', 'create', 'relay', 'process', 'attempt', 'smtp send'])
    for (const { name, duration = 0 } of spans.filter((span) => span.name.startsWith(lasting)))
      assert.ok(duration > 0, `${name} took no time`)
}

function servicesOf(spans: readonly ZipkinSpan[]): string[] {
  return [...new Set(spans.map(({ localEndpoint }) => localEndpoint?.serviceName ?? ''))].sort()
}

/** Names of the spans with an error. */
function failedOf(spans: readonly ZipkinSpan[]): string[] {
  const failed = spans.filter(({ tags = {} }) => tags['otel.status_code'] === 'ERROR' || 'error' in tags)
  return failed.map(({ name }) => name).sort()
}

function starts(spans: readonly ZipkinSpan[]): number[] {
  return spans.map(({ timestamp }) => timestamp)
}
