import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { asMessageId, type StatusEvent } from '#libs/messages'
import type { Entry } from '../../../services/projector/partition-queues.ts'
import { recordApplied } from '../../../services/projector/projector-tracing.ts'
import { statusEvent } from '../courier/events.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const [CREATE, SEND, WEBHOOK] = ['b7ad6b7169203331', '00f067aa0ba902b7', '53995c3f42cd8ad8']
const ID = asMessageId('01890000-0000-7000-8000-000000000001')
const CREATED_BY = `00-${TRACE}-${CREATE}-01`

/** The spans of one applied record. */
function spansOf(contexts: Pick<StatusEvent, 'traceparent' | 'createdBy'>) {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  const event = { ...statusEvent(ID, 'bounced', 2), ...contexts }
  const entry = {
    queue: { topic: 'courier.delivery-status.v1', partition: 3 },
    record: { offset: 42 },
    event: { kind: 'status', id: ID, event },
    receivedAtMs: 1_000,
  } as unknown as Entry
  recordApplied([entry], 1_001, 1_002, { tracer: provider.getTracer('test'), group: 'projector' })
  return exporter.getFinishedSpans()
}

describe('recordApplied', () => {
  it('goes on below the span that published the status, and links the one that the message began with', () => {
    const [processed, insert] = spansOf({ traceparent: `00-${TRACE}-${SEND}-01`, createdBy: CREATED_BY })
    assert.equal(processed?.name, 'process courier.delivery-status.v1')
    assert.equal(processed?.parentSpanContext?.spanId, SEND)
    assert.deepEqual(
      processed?.links.map(({ context }) => context.spanId),
      [SEND, CREATE],
    )
    assert.equal(insert?.parentSpanContext?.spanId, processed?.spanContext().spanId)
    const { attributes } = processed!
    assert.equal(attributes['messaging.kafka.offset'], 42)
    assert.equal(attributes['courier.outcome'], 'bounced')
    assert.equal(attributes['courier.message.id'], ID)
  })

  it('brings feedback that came in another trace back to the trace of the message', () => {
    const foreign = '5b8aa5a2d2c872e8321cf37308d69df2'
    for (const flags of ['01', '00']) {
      const [processed] = spansOf({ traceparent: `00-${foreign}-${WEBHOOK}-${flags}`, createdBy: CREATED_BY })
      assert.equal(processed?.spanContext().traceId, TRACE)
      assert.equal(processed?.parentSpanContext?.spanId, CREATE)
      assert.deepEqual(
        processed?.links.map(({ context }) => context.spanId),
        [WEBHOOK, CREATE],
      )
    }
  })

  it('makes nothing of a message that is not sampled, or of contexts that cannot be read', () => {
    const unsampled = CREATED_BY.replace(/01$/, '00')
    assert.deepEqual(spansOf({ traceparent: unsampled, createdBy: unsampled }), [])
    assert.deepEqual(spansOf({ traceparent: '', createdBy: '' }), [])
  })
})
