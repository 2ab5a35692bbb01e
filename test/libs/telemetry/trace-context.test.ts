import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { trace } from '@opentelemetry/api'
import {
  contextOf,
  isSampled,
  newTraceparent,
  parseTraceparent,
  traceFields,
  traceIdOf,
  traceparentOf,
} from '#libs/telemetry'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'

describe('parseTraceparent', () => {
  it('reads version, ids, flags and state', () => {
    const context = parseTraceparent(`00-${TRACE}-${SPAN}-01`, 'vendor=1')
    assert.equal(context?.traceId, TRACE)
    assert.equal(context?.spanId, SPAN)
    assert.equal(context?.traceFlags, 1)
    assert.equal(context?.isRemote, true)
    assert.equal(context?.traceState?.serialize(), 'vendor=1')
  })

  it('reads a later version up to the fields it knows', () => {
    assert.equal(parseTraceparent(`01-${TRACE}-${SPAN}-01-more`)?.traceId, TRACE)
  })

  for (const text of [
    '',
    'nonsense',
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}`,
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseTraceparent(text), undefined))
  }
})

describe('a traceparent', () => {
  it('survives the way through a context', () => {
    const traceparent = `00-${TRACE}-${SPAN}-01`
    const span = trace.getSpan(contextOf(traceparent))
    assert.ok(span)
    assert.equal(traceparentOf(span), traceparent)
    assert.equal(traceIdOf(traceparent), TRACE)
    assert.equal(isSampled(traceparent), true)
    assert.equal(isSampled(`00-${TRACE}-${SPAN}-00`), false)
    assert.equal(isSampled(''), false)
  })

  it('made for whoever has none is valid, unsampled and never the same', () => {
    const made = Array.from({ length: 200 }, newTraceparent)
    for (const traceparent of made) {
      assert.ok(parseTraceparent(traceparent), traceparent)
      assert.equal(isSampled(traceparent), false)
    }
    assert.equal(new Set(made.map(traceIdOf)).size, made.length)
  })
})

describe('traceFields', () => {
  it('are the ids by which logs and traces find each other; none where there is no trace', () => {
    assert.deepEqual(traceFields(`00-${TRACE}-${SPAN}-00`), { trace_id: TRACE, span_id: SPAN })
    for (const without of [undefined, '', 'nonsense']) assert.deepEqual(traceFields(without), {})
  })
})
