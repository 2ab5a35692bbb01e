import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { parseTraceparent, traceIdOf } from '#libs/telemetry'
import { openKratosTracing } from '../../../../services/relay/kratos/kratos-tracing.ts'
import { reservationOf } from '../../../../services/relay/kratos/reservation.ts'
import { queuedRow } from './rows.ts'

function setup() {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  return { exporter, tracing: openKratosTracing(provider.getTracer('test'), true) }
}

describe('openKratosTracing', () => {
  it('begins a trace with the wait of the row, and the message travels with it', () => {
    const { exporter, tracing } = setup()
    const row = queuedRow()
    const root = tracing.start(row)
    const reservation = reservationOf(row, undefined, root.traceparent)
    root.end(reservation)
    const [span] = exporter.getFinishedSpans()
    assert.equal(span?.name, 'relay kratos')
    assert.equal(span.parentSpanContext, undefined)
    assert.equal(span.spanContext().traceId, traceIdOf(reservation.traceparent))
    assert.equal(parseTraceparent(reservation.traceparent)?.traceFlags, 1)
    assert.deepEqual(span.startTime, [row.created_at.getTime() / 1_000, 0])
    assert.deepEqual(span.duration, [60, 0])
    assert.equal(span.attributes['messaging.message.id'], reservation.messageId)
    assert.ok(!JSON.stringify(span.attributes).includes('example.org'))
  })

  it('leaves nothing of a row that was not reserved, and links a send to what it carried', () => {
    const { exporter, tracing } = setup()
    const row = queuedRow()
    const { traceparent } = tracing.start(row)
    tracing.sent('courier.notices.v1', 3, [{ row, reservation: reservationOf(row, undefined, traceparent) }], 1_000)
    const [send, ...others] = exporter.getFinishedSpans()
    assert.deepEqual([send?.name, others.length], ['send courier.notices.v1', 0])
    assert.deepEqual(
      send?.links.map(({ context }) => context.traceId),
      [traceIdOf(traceparent)],
    )
  })
})
