import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Attempt, decide, type FailureClass, type RetryPolicy, treatmentOf } from '#libs/delivery'

const POLICY: RetryPolicy = { maxAttempts: 6, scheduleMs: [5_000, 30_000, 120_000], onUnknown: 'resend' }
const HOUR = 3_600_000

function failed(failureClass: FailureClass, more: Partial<Attempt> = {}): Attempt {
  return {
    outcome: 'failed',
    failure: { class: failureClass, message: 'refused' },
    dispatch: 1,
    charged: 0,
    unknowns: 0,
    nowMs: 0,
    expiresAtMs: HOUR,
    random: 0,
    ...more,
  }
}

describe('decide', () => {
  it('is sent when accepted', () => {
    assert.deepEqual(decide({ ...failed('network'), outcome: 'accepted' }, POLICY), { kind: 'sent' })
  })

  it('follows the schedule, whose last delay repeats', () => {
    for (const [dispatch, atMs] of [
      [1, 5_000],
      [2, 30_000],
      [3, 120_000],
      [9, 120_000],
    ] as const) {
      assert.deepEqual(decide(failed('transient_remote', { dispatch }), POLICY), { kind: 'retry', atMs, charged: true })
    }
  })

  it('adds up to a fifth of the delay, never less than promised', () => {
    assert.deepEqual(decide(failed('transient_remote', { random: 0.5 }), POLICY), {
      kind: 'retry',
      atMs: 5_500,
      charged: true,
    })
  })

  it('waits as long as the server asked, and five minutes for a greylist', () => {
    const asked = failed('throttled', { failure: { class: 'throttled', message: 'slow down', retryAfterMs: 60_000 } })
    assert.deepEqual(decide(asked, POLICY), { kind: 'retry', atMs: 60_000, charged: false })
    assert.deepEqual(decide(failed('greylisted'), POLICY), { kind: 'retry', atMs: 300_000, charged: true })
  })

  it('does not wait for another provider, once it is certain that this one failed', () => {
    const elsewhere = { isNextElsewhere: true, nowMs: 1_000 }
    for (const [failureClass, charged] of [
      ['transient_remote', true],
      ['greylisted', true],
      ['network', false],
    ] as const) {
      assert.deepEqual(decide(failed(failureClass, elsewhere), POLICY), { kind: 'retry', atMs: 1_000, charged })
    }
    assert.equal(decide(failed('permanent_recipient', elsewhere), POLICY).kind, 'abandon')
    assert.equal(decide(failed('transient_remote', { ...elsewhere, charged: 5 }), POLICY).kind, 'abandon')
    const unknown = decide({ ...failed('ambiguous', elsewhere), outcome: 'unknown' }, POLICY)
    assert.deepEqual(unknown, { kind: 'retry', atMs: 6_000, charged: true })
  })

  it('abandons after the last charged attempt', () => {
    assert.deepEqual(decide(failed('transient_remote', { charged: 5 }), POLICY), {
      kind: 'abandon',
      reason: 'exhausted',
    })
  })

  for (const innocent of ['auth', 'tls', 'network', 'throttled', 'channel_refused'] as const) {
    it(`never gives a message up for ${innocent}`, () => {
      const decision = decide(failed(innocent, { dispatch: 500, charged: 5 }), POLICY)
      assert.equal(decision.kind, 'retry')
    })
  }

  for (const final of ['permanent_recipient', 'permanent_content', 'permanent_remote', 'protocol', 'config'] as const) {
    it(`abandons ${final} at once`, () => {
      assert.deepEqual(decide(failed(final), POLICY), { kind: 'abandon', reason: 'permanent' })
    })
  }

  it('says render when the template is at fault', () => {
    assert.deepEqual(decide(failed('render'), POLICY), { kind: 'abandon', reason: 'render' })
  })

  it('cancels what a template does not want sent', () => {
    assert.deepEqual(decide(failed('cancelled', { charged: 5 }), POLICY), { kind: 'cancel' })
  })

  it('sends again once without an answer, then holds', () => {
    const unknown: Attempt = { ...failed('ambiguous'), outcome: 'unknown' }
    assert.equal(decide(unknown, POLICY).kind, 'retry')
    assert.deepEqual(decide({ ...unknown, unknowns: 1 }, POLICY), { kind: 'hold' })
    assert.deepEqual(decide(unknown, { ...POLICY, onUnknown: 'hold' }), { kind: 'hold' })
  })

  it('never retries past the end of a message, nor before now', () => {
    const classes: FailureClass[] = [
      'network',
      'auth',
      'transient_remote',
      'greylisted',
      'throttled',
      'mailbox_full',
      'ambiguous',
    ]
    fc.assert(
      fc.property(
        fc.constantFrom(...classes),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 0, max: 10 }),
        fc.integer({ min: 1, max: 10 * HOUR }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failureClass, dispatch, charged, expiresAtMs, random) => {
          const decision = decide(failed(failureClass, { dispatch, charged, expiresAtMs, random }), POLICY)
          if (decision.kind === 'abandon')
            assert.ok(treatmentOf(failureClass).charged && charged + 1 >= POLICY.maxAttempts)
          else assert.ok(decision.kind === 'retry' && decision.atMs > 0 && decision.atMs <= expiresAtMs)
        },
      ),
    )
  })
})
