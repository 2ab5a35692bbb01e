/** Questions to the spans of one trace. */
import assert from 'node:assert/strict'
import type { ReceivedSpan } from './otlp-receiver.ts'

export function spansOf(spans: readonly ReceivedSpan[], traceId: string): ReceivedSpan[] {
  return spans.filter((span) => span.traceId === traceId)
}

export function named(spans: readonly ReceivedSpan[], name: RegExp): ReceivedSpan[] {
  return spans.filter((span) => name.test(span.name)).sort((a, b) => a.startTimeMs - b.startTimeMs)
}

/** Every span but one has its parent in the same trace. @returns the root */
export function rootOf(spans: readonly ReceivedSpan[]): ReceivedSpan {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const orphans = spans.filter(({ parentSpanId }) => parentSpanId !== undefined && !ids.has(parentSpanId))
  assert.deepEqual(
    orphans.map(({ name }) => name),
    [],
    'spans without their parent',
  )
  const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined)
  assert.deepEqual(roots.length, 1, `roots: ${roots.map(({ name }) => name)}`)
  return roots[0]!
}
