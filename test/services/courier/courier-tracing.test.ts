import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { SpanStatusCode } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Decision } from '#libs/delivery'
import { openCourierTracing, traceparentOrNew } from '../../../services/courier/courier-tracing.ts'
import type { Delivery } from '../../../services/courier/delivery.ts'
import { failedBeforeSend, type TryResult } from '../../../services/courier/try-result.ts'
import {
  attemptOf,
  claimedDelivery,
  failedAttempt,
  memoryChannel,
  memoryStream,
  newId,
  selected,
  TRACEPARENT,
} from './deliveries.ts'
import { statusEvent } from './events.ts'

const SENT: TryResult = {
  attempt: attemptOf({
    timings: { connectMs: 3, sendMs: 12 },
    peer: { host: 'mx.example.net', port: 25, address: '192.0.2.1' },
    reply: { code: 250, command: 'DOT', text: 'Ok: queued' },
  }),
  failure: undefined,
  subject: 'Use code 731904 to log in',
  domain: 'example.org',
  renderMs: 0.4,
}

function setup() {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  const tracing = openCourierTracing({
    tracer: provider.getTracer('test'),
    topicOf: () => 'courier.messages.v1',
    statusTopic: 'courier.delivery-status.v1',
    groupOf: ({ record }) => `courier.${record.lane}`,
  })
  const names = () => exporter.getFinishedSpans().map(({ name }) => name)
  return { exporter, tracing, names }
}

describe('openCourierTracing', () => {
  it('tells a delivery in the trace of its message: claim, attempt, render, dialogue, then what publishes the status', () => {
    const { exporter, tracing, names } = setup()
    const spans = tracing.spansOf(claimedDelivery(), SENT, { kind: 'sent' })
    const children = [
      'claim',
      'attempt',
      'render login_code_valid',
      'smtp connect mx.example.net:25',
      'smtp send mx.example.net:25',
    ]
    assert.deepEqual(names(), children)
    spans?.end()
    assert.deepEqual(names().slice(children.length), ['send courier.delivery-status.v1', 'process courier.messages.v1'])
    const finished = exporter.getFinishedSpans()
    for (const span of finished) assert.equal(span.spanContext().traceId, TRACEPARENT.slice(3, 35))
    const sending = finished.find(({ name }) => name.startsWith('send '))?.spanContext()
    assert.equal(spans?.traceparent, `00-${sending?.traceId}-${sending?.spanId}-01`)
  })

  it('tells a request by its method, the answer and how often it was sent before', () => {
    const { exporter, tracing, names } = setup()
    const failure = { class: 'transient_remote' as const, message: 'answered 503', replyCode: 503 }
    const attempt = {
      ...failedAttempt(failure),
      method: 'POST',
      peer: { host: 'mail.example.net', port: 443 },
      reply: { code: 503, command: 'HTTP', text: 'busy' },
    }
    const again: Delivery = { ...claimedDelivery(), dispatch: 3 }
    tracing.spansOf(again, { ...SENT, attempt, failure }, { kind: 'retry', atMs: Date.now(), charged: true })
    assert.deepEqual(names(), ['claim', 'attempt', 'render login_code_valid', 'POST'])
    const { attributes } = exporter.getFinishedSpans().at(-1)!
    assert.equal(attributes['http.response.status_code'], 503)
    assert.equal(attributes['http.request.resend_count'], 2)
    assert.equal(attributes['server.address'], 'mail.example.net')
    assert.equal(attributes['error.type'], '503')
  })

  it('makes no spans for a message that is not sampled', () => {
    const { tracing, names } = setup()
    const unsampled: Delivery = { ...claimedDelivery(), traceparent: TRACEPARENT.replace(/01$/, '00') }
    assert.equal(tracing.spansOf(unsampled, SENT, { kind: 'sent' }), undefined)
    assert.deepEqual(names(), [])
  })

  it('makes no attempt of what ended before it was tried', () => {
    for (const [failureClass, kind] of [
      ['expired', 'expire'],
      ['superseded', 'supersede'],
      ['cancelled', 'cancel'],
      ['ambiguous', 'hold'],
    ] as const) {
      const { exporter, tracing, names } = setup()
      tracing.spansOf(claimedDelivery(), failedBeforeSend(failureClass, 'ended'), { kind })?.end()
      assert.deepEqual(names().slice(0, 2), ['claim', 'send courier.delivery-status.v1'])
      assert.ok(
        exporter.getFinishedSpans().every(({ status }) => status.code === SpanStatusCode.UNSET),
        kind,
      )
    }
  })

  it('marks the attempt as failed, not what dealt with it, and says what follows', () => {
    const cases: [Decision, string, string[]][] = [
      [{ kind: 'retry', atMs: Date.now() + 5_000, charged: true }, 'deferred', ['courier.retry_scheduled']],
      [{ kind: 'abandon', reason: 'exhausted' }, 'abandoned', ['courier.abandoned']],
      [{ kind: 'hold' }, 'held', ['courier.held']],
      [{ kind: 'expire' }, 'expired', ['courier.expired']],
    ]
    for (const [decision, outcome, events] of cases) {
      const { exporter, tracing } = setup()
      const failure = { class: 'transient_remote' as const, message: 'not now', replyCode: 451 }
      tracing.spansOf(claimedDelivery(), { ...SENT, attempt: failedAttempt(failure), failure }, decision)?.end()
      const finished = exporter.getFinishedSpans()
      const failed = finished.filter(({ status }) => status.code === SpanStatusCode.ERROR).map(({ name }) => name)
      assert.deepEqual(failed, ['attempt', 'smtp send'])
      const processed = finished.at(-1)!
      assert.equal(processed.attributes['courier.outcome'], outcome)
      assert.deepEqual(
        processed.events.map(({ name }) => name),
        events,
      )
    }
  })

  it('names the provider that takes over at once', () => {
    const { exporter, tracing } = setup()
    const failure = { class: 'transient_remote' as const, message: 'not now', replyCode: 451 }
    const next = selected(memoryChannel(), { provider: 'next.example.net' })
    const via = selected(memoryChannel(), { next })
    const result = { ...SENT, attempt: failedAttempt(failure), failure }
    tracing.spansOf(claimedDelivery({ via }), result, { kind: 'retry', atMs: Date.now(), charged: true })?.end()
    const failover = exporter
      .getFinishedSpans()
      .at(-1)!
      .events.find(({ name }) => name === 'courier.failover')
    assert.deepEqual(failover?.attributes, { from: 'mx.example.net', to: 'next.example.net' })
  })

  it('says where the record stood, as long as an offset is behind it, and which group read it', () => {
    const { exporter, tracing } = setup()
    const stream = memoryStream()
    for (const from of [stream, undefined]) tracing.spansOf(claimedDelivery({}, from), SENT, { kind: 'sent' })?.end()
    const [fresh, due] = exporter.getFinishedSpans().filter(({ name }) => name.startsWith('process '))
    assert.equal(fresh?.attributes['messaging.consumer.group.name'], 'courier.urgent')
    assert.equal(fresh?.attributes['messaging.destination.partition.id'], '0')
    assert.equal(fresh?.attributes['messaging.kafka.offset'], 0)
    assert.equal(due?.attributes['messaging.kafka.offset'], undefined)
  })

  it('publishes what another courier concluded below the span that the message began with', () => {
    const { exporter, tracing } = setup()
    const lost = TRACEPARENT.replace('b7ad6b7169203331', '00f067aa0ba902b7')
    const event = { ...statusEvent(newId(), 'sent', 1), traceparent: lost }
    const spans = tracing.republishing(event)
    spans?.end()
    const [span] = exporter.getFinishedSpans()
    assert.equal(span?.name, 'send courier.delivery-status.v1')
    assert.equal(span?.parentSpanContext?.spanId, 'b7ad6b7169203331')
    assert.deepEqual(
      span?.links.map(({ context }) => context.spanId),
      ['00f067aa0ba902b7'],
    )
    assert.equal(spans?.traceparent.slice(36, 52), span?.spanContext().spanId)
    const unsampled = { ...event, createdBy: TRACEPARENT.replace(/01$/, '00') }
    assert.equal(tracing.republishing(unsampled), undefined)
  })

  it('tells of a message that goes to the ledger, before it is concluded', () => {
    const { exporter, tracing } = setup()
    tracing.handedOver([claimedDelivery(), claimedDelivery({ traceparent: TRACEPARENT.replace(/01$/, '00') })])
    const [span, ...others] = exporter.getFinishedSpans()
    assert.equal(span?.name, 'hand over')
    assert.equal(span?.attributes['courier.outcome'], 'waiting')
    assert.deepEqual(others, [])
  })

  it('keeps address, subject, code and the peer’s words out of the spans', () => {
    const { exporter, tracing } = setup()
    const failure = { class: 'permanent_recipient' as const, message: 'no such mailbox', replyCode: 550 }
    const attempt = {
      ...failedAttempt(failure),
      reply: { code: 550, command: 'RCPT', text: '<ada.lovelace@example.org>: user unknown' },
      conversation: ['RCPT TO:<ada.lovelace@example.org>'],
    }
    tracing.spansOf(claimedDelivery(), { ...SENT, attempt, failure }, { kind: 'abandon', reason: 'permanent' })?.end()
    const told = JSON.stringify(
      exporter.getFinishedSpans().map(({ name, attributes, events, status }) => [name, attributes, events, status]),
    )
    assert.match(told, /550/)
    assert.doesNotMatch(told, /lovelace|731904|log in|user unknown/)
  })
})

describe('traceparentOrNew', () => {
  it('keeps a context that can be read, and makes an unsampled one for any other', () => {
    assert.equal(traceparentOrNew(TRACEPARENT), TRACEPARENT)
    for (const given of [undefined, '', 'nonsense', `${TRACEPARENT}-more`]) {
      assert.match(traceparentOrNew(given), /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/)
    }
  })
})
