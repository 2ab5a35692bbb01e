/** One trace from the HTTP request to the projected row, as an OTLP backend receives it. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openOtlpReceiver, type ReceivedSpan } from '../support/otlp-receiver.ts'
import { readTopic } from '../support/read-topic.ts'
import { openSystem } from '../support/system.ts'

const ADDRESS = 'traced@example.org'

/** Name, kind, service and the name of the parent, of every span that one mail leaves. */
const TREE: readonly [name: RegExp, kind: string, service: string, parent: RegExp | undefined][] = [
  [/^POST \/self-service\/registration$/, 'SERVER', 'identity', undefined],
  [/^create .*courier\.messages\.v1$/, 'PRODUCER', 'identity', /^POST /],
  [/^INSERT outbox\.message$/, 'CLIENT', 'identity', /^create /],
  [/^relay outbox\.message$/, 'INTERNAL', 'relay', /^create /],
  [/^process .*courier\.messages\.v1$/, 'CONSUMER', 'courier', /^create /],
  [/^claim$/, 'INTERNAL', 'courier', /^process /],
  [/^attempt$/, 'INTERNAL', 'courier', /^process /],
  [/^render registration_code_valid$/, 'INTERNAL', 'courier', /^attempt$/],
  [/^smtp connect 127\.0\.0\.1:\d+$/, 'CLIENT', 'courier', /^attempt$/],
  [/^smtp send 127\.0\.0\.1:\d+$/, 'CLIENT', 'courier', /^attempt$/],
  [/^send .*courier\.delivery-status\.v1$/, 'PRODUCER', 'courier', /^process /],
  [/^process .*courier\.delivery-status\.v1$/, 'CONSUMER', 'projector', /^send .*delivery-status/],
  [/^INSERT console\.message$/, 'CLIENT', 'projector', /^process /],
]

describe('the trace of a registration', () => {
  it('is one tree across all services, with links to the batches', { timeout: 120_000 }, async () => {
    await using receiver = await openOtlpReceiver()
    await using system = await openSystem({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint } })
    const started = await system.request('POST', `${system.identity}/self-service/registration`, {
      traits: { email: ADDRESS, name: 'Planted Name' },
    })
    assert.equal(started.status, 201)
    const mail = await system.mailTo(ADDRESS)
    const id = mail.headers['message-id']?.[0]?.slice(1).split('@')[0] ?? ''
    const { trace_id: traceId } = await system.messageIn(id, 'sent')

    const isLast = (span: ReceivedSpan) => span.traceId === traceId && span.name === 'INSERT console.message'
    await receiver.waitForSpans(
      (spans) => spans.some(isLast) && spans.filter((span) => span.traceId === traceId).length >= TREE.length,
    )
    const spans = receiver.spans().filter((span) => span.traceId === traceId)
    const byId = new Map(spans.map((span) => [span.spanId, span]))

    for (const [name, kind, service, parent] of TREE) {
      const span = spans.find((candidate) => name.test(candidate.name))
      assert.ok(span, `${name} is missing; got ${spans.map((one) => one.name).join(', ')}`)
      assert.equal(span.kind, kind, span.name)
      assert.equal(span.service, `postrider-${service}`, span.name)
      const parentName = byId.get(span.parentSpanId ?? '')?.name
      if (parent === undefined) assert.equal(parentName, undefined, span.name)
      else assert.match(parentName ?? 'none', parent, span.name)
      assert.ok(span.endTimeMs >= span.startTimeMs, span.name)
    }

    const create = spans.find((span) => span.name.startsWith('create '))!
    const processed = spans.find((span) => /^process .*messages/.test(span.name))!
    assert.ok(
      processed.links.some((link) => link.spanId === create.spanId),
      'process links the creation context',
    )
    const relayed = spans.find((span) => span.name.startsWith('relay '))!
    const batch = receiver.spans().find((span) => span.spanId === relayed.links[0]?.spanId)
    assert.match(batch?.name ?? 'none', /^send .*courier\.messages\.v1$/)
    assert.notEqual(batch?.traceId, traceId, 'the batch has a trace of its own')

    const [record] = await readTopic(system.brokers, `${system.topicPrefix}courier.messages.v1`)
    assert.equal(record?.headers.traceparent?.toString(), `00-${traceId}-${create.spanId}-01`, 'copied unchanged')
    const exported = JSON.stringify(receiver.spans())
    for (const secret of [ADDRESS, 'Planted Name', /\b[0-9]{6}\b/.exec(mail.text)![0]]) {
      assert.ok(!exported.includes(secret), 'spans carry nothing personal')
    }
  })
})
