import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Traced, traceSpans } from '../../../../../services/console/insights/trace/trace-spans.ts'

const T = Date.parse('2030-01-31T12:00:00Z')
const at = (ms: number): Date => new Date(T + ms)

function traced({ state = 'sent', dispatches = [] as object[], updatedMs = 0, projectedMs = 0 }): Traced {
  return {
    row: { id: 'm', state, template_type: 'login_code_valid', created_at: at(0), updated_at: at(updatedMs) },
    dispatches,
    projectedAtMs: projectedMs === 0 ? undefined : T + projectedMs,
    nowMs: T + 60_000,
  } as unknown as Traced
}

const DEFERRED = {
  dispatch: 1,
  state: 'deferred',
  created_at: at(1_000),
  durations: { queue: 100, dns: 10, tcp: 20, tls: 30, auth: 40, connect: 100, mail: 50, data: 60, dot: 90, send: 200 },
  duration_ms: 300,
  reply_code: 451,
  enhanced_code: '4.3.0',
  failure_class: 'transient_remote',
  provider: 'mail.example.org',
  worker: 'courier-1',
  next_attempt_at: at(6_000),
  decision: 'retry',
}
const SENT = {
  ...DEFERRED,
  dispatch: 2,
  state: 'sent',
  created_at: at(6_500),
  durations: null,
  duration_ms: 400,
  reply_code: 250,
  enhanced_code: null,
  failure_class: null,
  next_attempt_at: null,
}

describe('traceSpans', () => {
  const spans = traceSpans(traced({ dispatches: [SENT, DEFERRED], updatedMs: 6_500, projectedMs: 6_540 }))
  const find = (id: string) => spans.find((span) => span.id === id)
  const timeOf = (id: string) => {
    const found = find(id)
    return [Date.parse(found?.started_at ?? '') - T, found?.duration_ms]
  }

  it('spans the whole from acceptance to the last event', () => {
    assert.equal(spans[0]?.parent, null)
    assert.deepEqual(timeOf('message'), [0, 6_500])
    assert.equal(spans.filter(({ parent }) => parent === null).length, 1)
  })

  it('shows every wait: outbox and topic, the queue of the courier, and between two attempts', () => {
    assert.deepEqual(timeOf('outbox'), [0, 600])
    assert.deepEqual(timeOf('attempt 1 deferred queue'), [600, 100])
    assert.deepEqual(timeOf('wait 1 deferred'), [1_000, 5_100])
  })

  it('splits an attempt into its phases, one behind the other', () => {
    assert.deepEqual(timeOf('attempt 1 deferred'), [600, 400])
    assert.deepEqual(timeOf('attempt 1 deferred connect'), [700, 100])
    assert.deepEqual(timeOf('attempt 1 deferred connect tls'), [730, 30])
    assert.deepEqual(timeOf('attempt 1 deferred send'), [800, 200])
    assert.deepEqual(timeOf('attempt 1 deferred send dot'), [910, 90])
  })

  it('takes the duration alone where phases were not kept', () => {
    assert.deepEqual(timeOf('attempt 2 sent'), [6_100, 400])
    assert.deepEqual(timeOf('attempt 2 sent send'), [6_100, 400])
  })

  it('marks what failed, with codes and class', () => {
    assert.deepEqual(
      spans.filter(({ error }) => error).map(({ id }) => id),
      ['attempt 1 deferred'],
    )
    assert.equal(find('attempt 1 deferred')?.note, 'mail.example.org · 451 4.3.0 · transient remote · courier-1')
  })

  it('ends with the projection where that is known', () => {
    assert.deepEqual(timeOf('projection'), [6_500, 40])
  })

  it('every parent is there, and starts come in order', () => {
    for (const { parent } of spans) assert.ok(parent === null || find(parent) !== undefined)
    const starts = spans.map(({ started_at }) => started_at)
    assert.deepEqual(starts, starts.toSorted())
  })

  it('of a message that nobody has tried is the wait until now', () => {
    const queued = traceSpans(traced({ state: 'queued' }))
    assert.deepEqual(
      queued.map(({ id, duration_ms }) => [id, duration_ms]),
      [
        ['message', 60_000],
        ['outbox', 60_000],
      ],
    )
  })

  it('of a deferred message goes on to now', () => {
    const waiting = traceSpans(traced({ state: 'deferred', dispatches: [DEFERRED], updatedMs: 1_000 }))
    assert.equal(waiting.find(({ id }) => id === 'wait 1 deferred')?.duration_ms, 59_000)
  })
})
