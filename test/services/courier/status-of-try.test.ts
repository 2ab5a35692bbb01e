import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Decision } from '#libs/delivery'
import { encodeStatus, type StatusEvent, statusEventId } from '#libs/messages'
import type { Delivery } from '../../../services/courier/delivery.ts'
import { type ConcludedTry, openBuildEvent } from '../../../services/courier/status-of-try.ts'
import { failedBeforeSend, type TryResult } from '../../../services/courier/try-result.ts'
import { attemptOf, claimedDelivery, failedAttempt, sealer, TRACEPARENT } from './deliveries.ts'

const SPAN = '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01'
const build = openBuildEvent({
  sealer,
  worker: 'courier-1',
  maxAttemptsOf: () => 6,
  providerOf: () => 'mx.example.net',
})

const ACCEPTED: TryResult = {
  attempt: attemptOf({
    startedAt: Date.now(),
    timings: { connectMs: 3.4, sendMs: 12.2 },
    reply: { code: 250, enhanced: '2.0.0', command: 'DOT', text: '2.0.0 Ok: queued as 4F0B2' },
    providerMessageId: '4F0B2',
  }),
  failure: undefined,
  subject: 'Use code 731904 to log in',
  domain: 'example.org',
  renderMs: 0.4,
}

function statusOf(decision: Decision, result: TryResult, more: Partial<Delivery> = {}, counted = {}): StatusEvent {
  const delivery = claimedDelivery({ dispatch: 2, ...more })
  const failure = result.failure ?? result.attempt?.failure
  const rest = { charged: 2, unknowns: 0, traceparent: SPAN, ...counted } satisfies Partial<ConcludedTry>
  return build({ delivery, result, failure, decision, ...rest })
}

describe('openBuildEvent', () => {
  const retryAtMs = Date.now() + 5_000
  const cases: [decision: Decision, status: string, terminal: boolean, severity: string][] = [
    [{ kind: 'sent' }, 'sent', true, 'none'],
    [{ kind: 'retry', atMs: retryAtMs, charged: true }, 'deferred', false, 'temporary'],
    [{ kind: 'abandon', reason: 'exhausted' }, 'abandoned', true, 'permanent'],
    [{ kind: 'expire' }, 'expired', true, 'permanent'],
    [{ kind: 'hold' }, 'held', false, 'temporary'],
  ]
  for (const [decision, status, terminal, severity] of cases) {
    it(`says ${status} after ${decision.kind}`, () => {
      const { id, data } = statusOf(decision, ACCEPTED)
      assert.deepEqual(
        [data.status, data.terminal, data.severity, data.decision],
        [status, terminal, severity, decision.kind],
      )
      assert.equal(id, statusEventId(data.message_id, 2, data.status))
      assert.equal(data.next_attempt_at, decision.kind === 'retry' ? new Date(retryAtMs).toISOString() : undefined)
      assert.equal(data.reason, decision.kind === 'abandon' ? 'exhausted' : undefined)
    })
  }

  it('tells what an attempt brought', () => {
    const { data } = statusOf({ kind: 'sent' }, ACCEPTED)
    assert.deepEqual(data.reply, { code: 250, enhanced: '2.0.0', command: 'DOT' })
    assert.deepEqual([data.provider, data.provider_message_id], ['mx.example.net', '4F0B2'])
    assert.deepEqual([data.durations_ms.connect, data.durations_ms.send], [3, 12])
    assert.deepEqual([data.attempted, data.attempt, data.max_attempts, data.dispatch], [true, 2, 6, 2])
  })

  it('tells where the time of an attempt went, in whole ms, and nothing of what did not take place', () => {
    const timings = { connectMs: 9.6, sendMs: 12.2, phases: { tcp: 0.4, auth: 9.1, mail: 1.5, data: 0.2, dot: 10.4 } }
    const { data } = statusOf({ kind: 'sent' }, { ...ACCEPTED, attempt: attemptOf({ timings }) })
    const { queue, total, ...measured } = data.durations_ms
    assert.deepEqual(measured, { connect: 10, send: 12, tcp: 0, auth: 9, mail: 2, data: 0, dot: 10 })
    assert.ok(queue !== undefined && total >= 0)
    const untried = statusOf({ kind: 'expire' }, failedBeforeSend('expired', 'its lifetime ended')).data
    assert.deepEqual(Object.keys(untried.durations_ms), ['total'])
  })

  it('seals who was asked and what was answered, also where the mail was accepted', () => {
    const peer = { host: 'mx.example.net', port: 587, address: '192.0.2.7', tls: 'TLSv1.3' }
    const attempt = { ...ACCEPTED.attempt!, peer, reused: true }
    const { data } = statusOf({ kind: 'sent' }, { ...ACCEPTED, attempt })
    assert.deepEqual(sealer.open(data.project_id, data.sealed!), {
      subject: 'Use code 731904 to log in',
      reply_text: '2.0.0 Ok: queued as 4F0B2',
      peer,
      reused: true,
    })
    const unanswered = { ...failedAttempt({ class: 'network', message: 'refused' }), peer }
    const failed = statusOf({ kind: 'expire' }, { ...ACCEPTED, attempt: unanswered, subject: undefined }).data
    assert.deepEqual(sealer.open(failed.project_id, failed.sealed!), { peer, reused: false })
  })

  it('says of a message that never left that nothing was attempted', () => {
    const { data } = statusOf({ kind: 'expire' }, failedBeforeSend('expired', 'its lifetime ended'))
    assert.deepEqual([data.attempted, data.failure_class, data.error], [false, 'expired', 'its lifetime ended'])
    assert.deepEqual([data.reply, data.sealed, data.provider_message_id], [undefined, undefined, undefined])
  })

  it('keeps the context that the message started with, beside that of this hop', () => {
    const event = statusOf({ kind: 'sent' }, ACCEPTED)
    assert.deepEqual([event.createdBy, event.traceparent], [TRACEPARENT, SPAN])
    assert.equal(event.data.trace_id, TRACEPARENT.slice(3, 35))
    assert.equal(statusOf({ kind: 'sent' }, ACCEPTED, {}, { traceparent: undefined }).traceparent, TRACEPARENT)
  })

  for (const [more, counted, possible] of [
    [{}, {}, false],
    [{}, { unknowns: 1 }, true],
    [{ reclaims: 1 }, {}, true],
  ] as const) {
    it(`says ${possible ? 'that a copy may have arrived' : 'nothing of copies'} with ${JSON.stringify({ ...more, ...counted })}`, () => {
      const failed = statusOf({ kind: 'abandon', reason: 'exhausted' }, ACCEPTED, more, counted)
      assert.equal(failed.data.possibly_delivered, possible)
      assert.equal(statusOf({ kind: 'sent' }, ACCEPTED, more, counted).data.possibly_delivered, false)
    })
  }

  it('keeps address, subject, code and the peer’s words out of everything but the sealed part', () => {
    const address = 'ada.lovelace@example.org'
    const failure = {
      class: 'permanent_recipient' as const,
      message: 'the mail server knows no such mailbox',
      replyCode: 550,
    }
    const attempt = {
      ...failedAttempt(failure),
      reply: { code: 550, enhanced: '5.1.1', command: 'RCPT', text: `5.1.1 <${address}>: user unknown` },
      conversation: [`C: RCPT TO:<${address}>`, `S: 550 5.1.1 <${address}>: user unknown`],
    }
    const result: TryResult = { ...ACCEPTED, attempt, failure }
    const { record } = claimedDelivery()
    const sealed = sealer.seal(record.project_id, record.id, {
      recipient: address,
      template_data: { login_code: '731904' },
    })
    const event = statusOf({ kind: 'abandon', reason: 'permanent' }, result, { record: { ...record, sealed } })

    const { sealed: details, ...open } = event.data
    const text = JSON.stringify([{ ...event, data: open }, encodeStatus(event).headers, encodeStatus(event).key])
    for (const secret of [address, 'ada.lovelace', '731904', 'log in', 'user unknown', sealed]) {
      assert.ok(!text.includes(secret), `${secret} is in ${text}`)
    }
    for (const secret of [address, '731904', 'user unknown']) assert.ok(!details?.includes(secret))
    assert.deepEqual(sealer.open(record.project_id, details!), {
      subject: 'Use code 731904 to log in',
      reply_text: `5.1.1 <${address}>: user unknown`,
      conversation: attempt.conversation,
    })
  })
})
