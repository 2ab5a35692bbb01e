import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { asMessageId, type EventState, type MessageRecord, type StatusEvent, statusEventId } from '#libs/messages'
import {
  dispatchOf,
  type ProjectedMessage,
  type ProjectorEvent,
  projectStatus,
  unknownMessage,
} from '../../../services/projector/project-status.ts'

const ID = asMessageId('01890a5d-ac96-774b-bcce-b302099a8057')
const PROJECT = '00000000-0000-7000-8000-000000000001'

const record: MessageRecord = {
  id: ID,
  project_id: PROJECT,
  channel: 'email',
  template_type: 'login_code_valid',
  lane: 'urgent',
  created_at: '2026-01-01T00:00:00.000Z',
  expires_at: '2026-01-01T01:00:00.000Z',
  sealed: 'a..b.c.d',
}
const arrived: ProjectorEvent = { kind: 'message', id: ID, record, recipientHash: 'kid.hash', traceId: 'f'.repeat(32) }

function status(state: EventState, dispatch: number, more: Partial<StatusEvent['data']> = {}): ProjectorEvent {
  const data: StatusEvent['data'] = {
    message_id: ID,
    project_id: PROJECT,
    template_type: record.template_type,
    channel: 'email',
    status: state,
    severity: 'none',
    terminal: state !== 'deferred' && state !== 'held',
    dispatch,
    attempt: dispatch,
    max_attempts: 6,
    occurred_at: new Date(Date.UTC(2026, 0, 1) + dispatch * 1_000).toISOString(),
    queued_at: record.created_at,
    expires_at: record.expires_at,
    attempted: true,
    possibly_delivered: false,
    durations_ms: { send: 12, total: 40 },
    lane: 'urgent',
    trace_id: 'f'.repeat(32),
    worker: 'courier-1',
    ...more,
  }
  const event = { id: statusEventId(ID, dispatch, state), data, traceparent: '', createdBy: '' }
  return { kind: 'status', id: ID, event }
}

function project(events: readonly ProjectorEvent[], from: ProjectedMessage = unknownMessage(ID)): ProjectedMessage {
  return events.reduce(projectStatus, from)
}

const REFINEMENTS: EventState[] = ['delivered', 'bounced', 'complained']
const anyStatus = fc
  .record({
    state: fc.constantFrom<EventState>(
      'deferred',
      'held',
      'sent',
      'abandoned',
      'expired',
      'suppressed',
      'superseded',
      'cancelled',
      ...REFINEMENTS,
    ),
    dispatch: fc.integer({ min: 0, max: 5 }),
  })
  // What an event says depends on its identity only, as its deterministic id promises.
  .map(({ state, dispatch }) =>
    status(state, dispatch, {
      possibly_delivered: state === 'held',
      ...(state === 'sent' && { provider_message_id: `queue-${dispatch}`, reply: { code: 250, command: 'DOT' } }),
      ...(state === 'deferred' && { failure_class: 'greylisted', error: `try ${dispatch} was put off` }),
      ...(dispatch > 0 && { recipient_domain: 'example.org' }),
    }),
  )

describe('projectStatus', () => {
  it('gives the same state for any order and any duplication', () => {
    const scenario = fc
      .tuple(fc.array(anyStatus, { maxLength: 8 }), fc.boolean())
      .map(([statuses, withRecord]) => (withRecord ? [arrived, ...statuses] : statuses))
      .filter((events) => events.length > 0)
      .chain((events) =>
        fc.record({
          events: fc.constant(events),
          repeated: fc.array(fc.constantFrom(...events), { maxLength: 10 }),
          keys: fc.array(fc.nat(), { minLength: events.length + 10, maxLength: events.length + 10 }),
        }),
      )
    fc.assert(
      fc.property(scenario, ({ events, repeated, keys }) => {
        const all = [...events, ...repeated]
        const shuffled = all.map((event, i) => ({ event, key: keys[i]! })).sort((a, b) => a.key - b.key)
        assert.deepEqual(project(shuffled.map(({ event }) => event)), project(events))
      }),
      { numRuns: 2_000 },
    )
  })

  it('is queued while only the message is known', () => {
    const { progress, facts, factsFrom } = project([arrived])
    assert.equal(factsFrom, 'record')
    assert.equal(progress.state, 'queued')
    assert.equal(progress.dispatch, 0)
    assert.equal(facts?.sealed, record.sealed)
    assert.equal(facts?.recipient_hash, 'kid.hash')
  })

  it('knows a message from its status alone, and more of it once the message comes', () => {
    const early = project([status('sent', 1)])
    assert.equal(early.factsFrom, 'status')
    assert.equal(early.facts?.template_type, 'login_code_valid')
    assert.equal(early.facts?.sealed, null)
    const whole = project([arrived], early)
    assert.equal(whole.progress.state, 'sent')
    assert.equal(whole.facts?.sealed, record.sealed)
  })

  it('clears the failure of earlier tries when a later one succeeds', () => {
    const { progress } = project([
      arrived,
      status('deferred', 1, { failure_class: 'network', error: 'refused', next_attempt_at: record.expires_at }),
      status('sent', 2, { provider_message_id: 'q1' }),
    ])
    assert.equal(progress.state, 'sent')
    assert.equal(progress.dispatch, 2)
    assert.equal(progress.error, null)
    assert.equal(progress.failure_class, null)
    assert.equal(progress.next_attempt_at, null)
    assert.equal(progress.provider_message_id, 'q1')
  })

  it('keeps the provider id that the sent event named when the provider reports later', () => {
    const { progress } = project([arrived, status('sent', 1, { provider_message_id: 'q1' }), status('bounced', 1)])
    assert.equal(progress.state, 'bounced')
    assert.equal(progress.provider_message_id, 'q1')
  })

  it('returns the same object for an event that is known already', () => {
    const once = project([arrived, status('deferred', 1)])
    assert.equal(project([arrived, status('deferred', 1)], once), once)
  })
})

describe('dispatchOf', () => {
  const dispatch = (event: ProjectorEvent) => (event.kind === 'status' ? dispatchOf(event.event) : undefined)

  it('is one row per try that reached out', () => {
    assert.equal(dispatch(status('deferred', 2))?.dispatch, 2)
    assert.equal(dispatch(status('sent', 3, { durations_ms: { connect: 5, send: 7.4, total: 90 } }))?.duration_ms, 12)
  })

  it('has what the try brought, and null where it brought nothing', () => {
    const facts = {
      durations_ms: { tcp: 1, mail: 2, send: 7, total: 90 },
      reply: { code: 451, command: 'RCPT' },
      next_attempt_at: record.expires_at,
    }
    const full = dispatch(status('deferred', 2, facts))
    assert.deepEqual(JSON.parse(full?.durations ?? ''), facts.durations_ms)
    assert.deepEqual([full?.command, full?.next_attempt_at], ['RCPT', record.expires_at])
    assert.equal(full?.worker, 'courier-1')
    const empty = dispatch(status('sent', 3))
    assert.deepEqual([empty?.command, empty?.next_attempt_at], [null, null])
  })

  it('is nothing where no try was made or a provider only reports', () => {
    assert.equal(dispatch(status('expired', 0, { attempted: false })), undefined)
    for (const state of REFINEMENTS) assert.equal(dispatch(status(state, 1)), undefined)
  })
})
