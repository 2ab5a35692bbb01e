/**
 * What follows one attempt. Pure: no clock, no I/O, no logging.
 * Abandon only when no later attempt can differ; a wrong retry delays mail, a wrong abandon loses it.
 */
import { type DeliveryFailure, type Outcome, treatmentOf } from './failure.ts'

export interface RetryPolicy {
  /** Charged attempts in all: `message_retries` + 1. */
  readonly maxAttempts: number
  /** Delay after the 1st, 2nd, … try, in ms; the last repeats. */
  readonly scheduleMs: readonly number[]
  /** What an attempt without an answer becomes: sent again once, or kept for an operator. */
  readonly onUnknown: 'resend' | 'hold'
}

export interface Attempt {
  readonly outcome: Outcome
  readonly failure?: DeliveryFailure
  /** Tries so far, this one included. */
  readonly dispatch: number
  /** Charged tries before this one. */
  readonly charged: number
  /** Tries before this one whose outcome stayed unknown. */
  readonly unknowns: number
  readonly nowMs: number
  readonly expiresAtMs: number
  /** In [0, 1): spreads the delay upwards by 0 to 20 %, never earlier than promised. */
  readonly random: number
  /** The next try goes to another provider, one that has not seen the message: nothing is gained by a wait. */
  readonly isNextElsewhere?: boolean
}

export type Decision =
  | { readonly kind: 'sent' }
  | { readonly kind: 'retry'; readonly atMs: number; readonly charged: boolean }
  | { readonly kind: 'abandon'; readonly reason: 'permanent' | 'exhausted' | 'render' }
  | { readonly kind: 'expire' }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'supersede' }
  | { readonly kind: 'hold' }

export function decide(attempt: Attempt, policy: RetryPolicy): Decision {
  if (attempt.outcome === 'accepted') return { kind: 'sent' }
  if (attempt.outcome === 'unknown' && (policy.onUnknown === 'hold' || attempt.unknowns >= 1)) return { kind: 'hold' }
  const failure = attempt.failure ?? { class: 'ambiguous', message: 'no answer after the final dot' }
  if (failure.class === 'expired') return { kind: 'expire' }
  // A template's own wish: nobody failed, and nothing is sent.
  if (failure.class === 'cancelled') return { kind: 'cancel' }
  if (failure.class === 'superseded') return { kind: 'supersede' }

  const { permanent, charged, leastDelayMs } = treatmentOf(failure.class)
  if (permanent) return { kind: 'abandon', reason: failure.class === 'render' ? 'render' : 'permanent' }
  const chargedNow = attempt.charged + (charged ? 1 : 0)
  if (charged && chargedNow >= policy.maxAttempts) return { kind: 'abandon', reason: 'exhausted' }

  // What is the channel's fault does not make the message wait longer and longer: the channel's breaker says when to try again.
  const tries = charged ? attempt.dispatch : 1
  const leastMs = Math.max(leastDelayMs, failure.retryAfterMs ?? 0)
  const isAtOnce = attempt.isNextElsewhere === true && attempt.outcome === 'failed'
  const atMs = attempt.nowMs + (isAtOnce ? 0 : delayMs(tries, attempt.random, policy, leastMs))
  // A mail that would leave after its code is dead is not sent: it waits out its life and expires.
  if (atMs >= attempt.expiresAtMs) return { kind: 'retry', atMs: attempt.expiresAtMs, charged }
  return { kind: 'retry', atMs, charged }
}

function delayMs(tries: number, random: number, { scheduleMs }: RetryPolicy, leastMs: number): number {
  const scheduled = scheduleMs[Math.min(tries, scheduleMs.length) - 1] ?? 0
  return Math.round(Math.max(scheduled, leastMs) * (1 + random * 0.2))
}
