/** One event of every state, as it stands in Kafka: for the contract's documents, and for whoever tests a reader. */
import { asMessageId } from '../ids.ts'
import { EVENT_STATES, type EventState, isTerminal } from '../states.ts'
import { type EncodedStatus, encodeStatus, type StatusData, statusEventId } from '../status-event.ts'

const QUEUED_AT = '2026-01-02T03:04:05.000Z'
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const BEGAN = `00-${TRACE_ID}-b7ad6b7169203331-01`
const PUBLISHED = `00-${TRACE_ID}-00f067aa0ba902b7-01`

const ACCEPTED: Partial<StatusData> = {
  decision: 'sent',
  reply: { code: 250, enhanced: '2.0.0', command: 'DOT' },
  provider_message_id: '4F0B2',
}
const GREYLISTED: Partial<StatusData> = {
  failure_class: 'greylisted',
  error: 'the mail server asks to come again later',
  reply: { code: 451, enhanced: '4.7.1', command: 'RCPT' },
}
const UNTRIED: Partial<StatusData> = { attempted: false, dispatch: 0, attempt: 0, durations_ms: { total: 900_000 } }

/** What makes each state; the rest is common to all. */
const DIFFERENCES: Record<EventState, Partial<StatusData>> = {
  deferred: { ...GREYLISTED, decision: 'retry', next_attempt_at: '2026-01-02T03:09:05.678Z' },
  held: {
    decision: 'hold',
    failure_class: 'ambiguous',
    error: 'no answer after the final dot',
    possibly_delivered: true,
  },
  sent: ACCEPTED,
  delivered: ACCEPTED,
  bounced: {
    ...ACCEPTED,
    failure_class: 'permanent_recipient',
    reply: { code: 550, enhanced: '5.1.1', command: 'RCPT' },
  },
  complained: ACCEPTED,
  abandoned: {
    decision: 'abandon',
    reason: 'permanent',
    failure_class: 'permanent_recipient',
    error: 'the mail server knows no such mailbox',
    reply: { code: 550, enhanced: '5.1.1', command: 'RCPT' },
  },
  expired: {
    ...UNTRIED,
    decision: 'expire',
    failure_class: 'expired',
    error: 'its lifetime ended before it could be sent',
  },
  suppressed: UNTRIED,
  superseded: { ...UNTRIED, decision: 'supersede', failure_class: 'superseded', error: 'a newer code took its place' },
  cancelled: { ...UNTRIED, decision: 'cancel', reason: 'operator' },
}
const SUCCESSES: readonly EventState[] = ['sent', 'delivered']

export const STATUS_EXAMPLES: Readonly<Record<EventState, EncodedStatus>> = Object.fromEntries(
  EVENT_STATES.map((state, index) => [state, exampleOf(state, index)]),
) as Record<EventState, EncodedStatus>

function exampleOf(status: EventState, index: number): EncodedStatus {
  const id = asMessageId(`019b7c9d-5d88-7000-8000-${String(index).padStart(12, '0')}`)
  const terminal = isTerminal(status)
  const data: StatusData = {
    message_id: id,
    project_id: '00000000-0000-7000-8000-000000000001',
    template_type: 'login_code_valid',
    channel: 'email',
    status,
    severity: SUCCESSES.includes(status) ? 'none' : terminal ? 'permanent' : 'temporary',
    terminal,
    dispatch: 1,
    attempt: 1,
    max_attempts: 6,
    occurred_at: '2026-01-02T03:04:05.678Z',
    queued_at: QUEUED_AT,
    expires_at: '2026-01-02T03:19:05.000Z',
    attempted: true,
    possibly_delivered: false,
    durations_ms: { queue: 3, connect: 24, send: 41, total: 678 },
    provider: 'mx.example.net',
    recipient_domain: 'example.org',
    identity_id: '9f425a8d-7efc-4768-8f23-7647a74fdf13',
    lane: 'urgent',
    trace_id: TRACE_ID,
    worker: 'courier-1',
    ...DIFFERENCES[status],
  }
  return encodeStatus({ id: statusEventId(id, data.dispatch, status), data, traceparent: PUBLISHED, createdBy: BEGAN })
}
