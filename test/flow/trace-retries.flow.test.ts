/** The trace of a mail that does not go at once: whatever happens to it, and to its courier, it goes on in the same one. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openDatabase } from '#libs/database'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { keptBy } from '../deploy/otel/tail-sampling.ts'
import { type OtlpReceiver, openOtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts'
import { waitFor } from '../support/servers.ts'
import { openSmtpSink, type SmtpSink } from '../support/smtp-sink.ts'
import { openSystem, type System } from '../support/system.ts'
import { named, rootOf, spansOf } from '../support/traces.ts'

const MESSAGES = '/admin/courier/messages'
/** What is tried again sooner was told to. */
const DELAY_MS = 600_000
const PROCESS = /^process .*courier\.(messages|notices)\.v1$/
const PROJECT = /^process .*delivery-status\.v1$/

describe('the trace of a mail', () => {
  let system: System
  let sink: SmtpSink
  let receiver: OtlpReceiver
  /** Of recipients that are refused for now. */
  const deferred = new Set<string>()
  let hangs = true
  before(async () => {
    receiver = await openOtlpReceiver()
    sink = await openSmtpSink({
      answer: (command, line, { recipients }) => {
        if (command === 'RCPT' && [...deferred].some((name) => line.includes(`<${name}@`))) return '451 4.3.0 Not yet'
        return command === 'DOT' && hangs && recipients[0]?.startsWith('hang@') ? '' : undefined
      },
    })
    system = await openSystem({
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
        COURIER_SMTP_CONNECTION_URI: `smtp://127.0.0.1:${sink.port}/?disable_starttls=true`,
        POSTRIDER_COURIER_RETRY_SCHEDULE: `${DELAY_MS / 60_000}m`,
      },
    })
  })
  after(async () => {
    await system?.[Symbol.asyncDispose]()
    await sink?.[Symbol.asyncDispose]()
    await receiver?.[Symbol.asyncDispose]()
  })

  async function post(name: string, more: Record<string, unknown> = {}, headers = {}): Promise<string> {
    const template_data = { subject: 'Hello', body: 'A line of text.\n' }
    const message = { recipient: `${name}@example.org`, template_type: 'stub', template_data, ...more }
    const { status, body } = await system.request('POST', `${system.console}${MESSAGES}`, message, headers)
    assert.equal(status, 202)
    return body.id
  }
  async function act(id: string, action: string): Promise<string> {
    const answer = await system.request('POST', `${system.console}${MESSAGES}/${id}/${action}`)
    assert.equal(answer.status, 202, JSON.stringify(answer.body))
    return answer.body.id
  }
  /** All spans of the message's trace, once its last state is projected. */
  async function traceOf(id: string, outcome: string): Promise<ReceivedSpan[]> {
    const { trace_id: traceId } = await system.messageIn(id, outcome)
    const isLast = ({ name, attributes }: ReceivedSpan) =>
      PROJECT.test(name) && attributes['courier.message.id'] === id && attributes['courier.outcome'] === outcome
    await receiver.waitForSpans((all) => spansOf(all, traceId).some(isLast))
    // Children of what has arrived may still be on their way from other services.
    await waitFor(() => isWhole(spansOf(receiver.spans(), traceId)), { message: 'the trace is not whole' })
    return spansOf(receiver.spans(), traceId)
  }
  const logOf = (service: string) => readFile(join(system.home, 'logs', `${service}-1.log`), 'utf8')
  async function linesAbout(service: string, id: string) {
    const lines = (await logOf(service)).split('\n').filter((line) => line.includes(id))
    return lines.map((line) => JSON.parse(line))
  }

  it('goes on after a restart of the courier and an operator’s retry, hours later', { timeout: 120_000 }, async () => {
    deferred.add('later')
    const id = await post('later')
    await traceOf(id, 'deferred')
    await restart('SIGTERM')
    deferred.clear()
    assert.equal(await act(id, 'retry'), id)
    const spans = await traceOf(id, 'sent')

    assert.equal(rootOf(spans).name, `POST ${MESSAGES}`)
    const [create] = named(spans, /^create /)
    const [first, second] = named(spans, PROCESS)
    for (const one of [first, second]) {
      assert.equal(one?.parentSpanId, create?.spanId)
      assert.ok(one?.links.some(({ spanId }) => spanId === create?.spanId))
      assert.equal(one?.status, undefined, 'what was dealt with is no error')
    }
    assert.deepEqual(
      [first, second].map((one) => one?.attributes['courier.outcome']),
      ['deferred', 'sent'],
    )
    const [scheduled] = first!.events
    assert.equal(scheduled?.name, 'courier.retry_scheduled')
    assert.equal(scheduled?.attributes.reason, 'transient_remote')
    assert.ok(Number(scheduled?.attributes.delay_ms) >= DELAY_MS - 1_000)
    assert.ok(Date.parse(String(scheduled?.attributes.due_at)) > Date.now() + DELAY_MS / 2)
    const attempts = named(spans, /^attempt$/).map(({ status, attributes }) => [
      attributes['courier.attempt'],
      status,
      attributes['error.type'],
    ])
    assert.deepEqual(attempts, [
      [1, 'error', '451'],
      [2, undefined, undefined],
    ])
    assert.deepEqual(keptBy(spans), ['failed', 'unsent', 'retried'])
  })

  it('tells where each record stood, whose span it is, and by which conventions', { timeout: 60_000 }, async () => {
    const spans = await traceOf(await post('plain'), 'sent')
    assert.deepEqual(keptBy(spans), [], 'one of the rest')
    const [processed] = named(spans, PROCESS)
    const { attributes, resource, schemaUrl } = processed!
    assert.equal(attributes['messaging.consumer.group.name'], `${system.topicPrefix}postrider.courier.notice`)
    assert.match(String(attributes['messaging.destination.partition.id']), /^[0-7]$/)
    for (const key of ['messaging.kafka.offset', 'courier.attempt', 'courier.age_ms'])
      assert.equal(typeof attributes[key], 'number', key)
    assert.equal(resource['service.name'], 'postrider-courier')
    assert.match(String(resource['service.instance.id']), /^courier/)
    assert.equal(resource['deployment.environment.name'], 'test')
    assert.match(schemaUrl, /^https:\/\/opentelemetry\.io\/schemas\/1\.\d+\.0$/)
    const [relayed] = named(spans, /^relay /)
    assert.equal(relayed?.attributes['messaging.destination.name'], attributes['messaging.destination.name'])
    const [projected] = named(spans, PROJECT)
    assert.ok(projected?.links.some(({ spanId }) => spanId === named(spans, /^create /)[0]?.spanId))
    const id = attributes['courier.message.id']
    const without = spans.filter((span) => span.attributes['courier.message.id'] !== id).map(({ name }) => name)
    assert.deepEqual(
      without.filter((name) => !/^(POST |claim|render |smtp |INSERT )/.test(name)),
      [],
      'spans without the id of the message',
    )
  })

  it('is one tree when a courier is killed with the mail on its way', { timeout: 120_000 }, async () => {
    const id = await post('hang')
    const { trace_id: traceId } = await system.message(id)
    // Long enough under way that the ledger has it.
    await receiver.waitForSpans((all) => named(spansOf(all, traceId), /^hand over$/).length > 0)
    assert.deepEqual(keptBy(spansOf(receiver.spans(), traceId)), ['waiting'], 'kept before anything failed')
    hangs = false
    await restart('SIGKILL')
    const spans = await traceOf(id, 'sent')
    rootOf(spans)
    const results = named(spans, /^claim$/).map(({ attributes }) => attributes['courier.claim.result'])
    assert.deepEqual(results, ['reclaimed'])
    assert.deepEqual(keptBy(spans).includes('retried'), true)
  })

  it('ends with what an operator cancels, and with what expires', { timeout: 60_000 }, async () => {
    deferred.add('unwanted').add('short')
    const expires_at = new Date(Date.now() + 4_000).toISOString()
    const [unwanted, short] = [await post('unwanted'), await post('short', { expires_at })]
    await traceOf(unwanted, 'deferred')
    await act(unwanted, 'cancel')
    const cancelled = await traceOf(unwanted, 'cancelled')
    rootOf(cancelled)
    const last = named(cancelled, PROJECT).at(-1)!
    const publishing = cancelled.find(({ spanId }) => spanId === last.parentSpanId)
    assert.equal(publishing?.attributes['courier.republished'], true)

    const expired = await traceOf(short, 'expired')
    rootOf(expired)
    const processed = named(expired, PROCESS).at(-1)!
    assert.deepEqual(
      processed.events.map(({ name }) => name),
      ['courier.expired'],
    )
    assert.equal(named(expired, /^attempt$/).length, 1, 'what expires is not tried again')
    deferred.clear()
  })

  it('is a new one for what is sent again, linked to the former', { timeout: 60_000 }, async () => {
    const id = await post('again')
    const former = await traceOf(id, 'sent')
    const spans = await traceOf(await act(id, 'resend'), 'sent')
    assert.equal(rootOf(spans).name, `POST ${MESSAGES}/:id/resend`)
    const [create] = named(spans, /^create /)
    assert.deepEqual(
      create?.links.map(({ traceId }) => traceId),
      [former[0]?.traceId],
    )
    assert.equal(create?.attributes['courier.resent_from'], id)
  })

  it('is in the log line of each failure, and no recipient is', { timeout: 60_000 }, async () => {
    deferred.add('busy')
    const [refused, busy] = [await post('reject-550-planted'), await post('busy')]
    const spans = await traceOf(refused, 'abandoned')
    const { trace_id } = await system.messageIn(busy, 'deferred')
    assert.deepEqual(named(spans, PROCESS)[0]?.events, [
      { name: 'courier.abandoned', attributes: { reason: 'permanent', class: 'permanent_recipient' } },
    ])
    assert.deepEqual(keptBy(spans), ['failed', 'unsent'])

    const line = await waitFor(async () => (await linesAbout('courier', refused))[0])
    assert.deepEqual(
      [line.level, line.outcome, line.failure_class, line.reply_code, line.trace_id, line.message_id],
      ['warn', 'abandoned', 'permanent_recipient', 550, spans[0]?.traceId, refused],
    )
    assert.ok(
      spans.some(({ spanId }) => spanId === line.span_id),
      'span_id is of the trace',
    )
    const [waiting] = await linesAbout('courier', busy)
    assert.deepEqual([waiting.level, waiting.outcome, waiting.trace_id], ['info', 'deferred', trace_id])
    assert.ok(Date.parse(waiting.next_attempt_at) > Date.now())
    assert.doesNotMatch(await logOf('courier'), /example\.org|planted|A line of text/)
    deferred.clear()
  })

  it('ends in the relay where nobody could take the row', { timeout: 60_000 }, async () => {
    const trace = '5b8aa5a2d2c872e8321cf37308d69df2'
    await using database = openDatabase({ url: system.databaseUrl, applicationName: 'test' })
    const { rows } = await database.query<{ id: string }>({
      text: `insert into outbox.message (id, project_id, channel, template_type, lane, expires_at, plain, traceparent)
             select new.id, $1, 'email', 'stub', 'notice', now() + interval '1 hour',
               '{"recipient": "planted@@nowhere", "template_data": {}}', $2 from outbox.new_ids(1) new(id)
             returning id`,
      values: [DEFAULT_PROJECT_ID, `00-${trace}-51581bf3cb55c131-01`],
    })
    const id = rows[0]!.id
    await receiver.waitForSpans((all) => named(spansOf(all, trace), PROJECT).length > 0)
    const spans = spansOf(receiver.spans(), trace)
    const [relayed] = named(spans, /^relay /)
    assert.deepEqual(
      [relayed?.status, relayed?.attributes['courier.outcome'], relayed?.attributes['courier.message.id']],
      ['error', 'abandoned', id],
    )
    assert.deepEqual(keptBy(spans), ['failed', 'unsent'])
    const [line] = await linesAbout('relay', id)
    assert.deepEqual([line.level, line.trace_id, line.message_id], ['error', trace, id])
    assert.doesNotMatch(await logOf('relay'), /planted/)
  })

  it('costs nothing where the caller does not sample, and still has an id everywhere', {
    timeout: 60_000,
  }, async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c'
    const id = await post('reject-550', {}, { traceparent: `00-${trace}-b7ad6b7169203331-00` })
    assert.equal((await system.messageIn(id, 'abandoned')).trace_id, trace)
    const line = await waitFor(async () => (await linesAbout('courier', id))[0])
    assert.equal(line.trace_id, trace)
    await traceOf(await post('after'), 'sent')
    assert.deepEqual(spansOf(receiver.spans(), trace), [])
  })

  /** Ends the courier; resolves when another one runs in its place. */
  async function restart(signal: NodeJS.Signals): Promise<void> {
    const pid = await system.kill('courier', signal)
    const isNew = (one: { service: string; pid: number }) => one.service === 'courier' && one.pid !== pid
    await waitFor(async () => (await system.processes()).some(isNew), { timeoutMs: 40_000, message: 'no new courier' })
    await waitFor(async () => (await fetch(`${system.console}/health/ready`)).ok, { timeoutMs: 40_000 })
  }
})

function isWhole(spans: readonly ReceivedSpan[]): boolean {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  return spans.every(({ parentSpanId }) => parentSpanId === undefined || ids.has(parentSpanId))
}
