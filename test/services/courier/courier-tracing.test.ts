import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { openCourierTracing, traceparentOrNew } from '../../../services/courier/courier-tracing.ts'
import type { Delivery } from '../../../services/courier/delivery.ts'
import { failedBeforeSend, type TryResult } from '../../../services/courier/try-result.ts'
import { attemptOf, claimedDelivery, failedAttempt, TRACEPARENT } from './deliveries.ts'

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
    group: 'courier',
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

  it('tells of a message that never left that nothing was said on the wire', () => {
    const { tracing, names } = setup()
    tracing.spansOf(claimedDelivery(), failedBeforeSend('expired', 'late'), { kind: 'expire' })
    assert.deepEqual(names(), ['claim', 'attempt'])
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
