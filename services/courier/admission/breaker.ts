/**
 * Whether a channel works. Pure: the clock is a parameter. Opens when distinct messages fail for reasons of the channel's own,
 * lets single probes through, and closes at the first answer that shows the channel alive, whatever it says of the message.
 */
import type { DeliveryFailure, FailureClass } from '#libs/delivery'

/** What stands in the way, for whoever asks why a message waits. */
export interface Blockage {
  readonly failure: DeliveryFailure
  readonly sinceMs: number
  readonly nextProbeAtMs: number
}

export interface Breaker {
  /** How many sends may start now: any number, one probe, or none. */
  readonly allowance: (nowMs: number) => number
  readonly started: (nowMs: number) => void
  /** @param failure undefined for an accepted mail */
  readonly ended: (messageId: string, failure: DeliveryFailure | undefined, nowMs: number) => void
  /** undefined while closed. */
  readonly blockage: () => Blockage | undefined
}

const OPENS_AFTER = 5
const WITHIN_MS = 30_000
const FIRST_PROBE_MS = 5_000
const LAST_PROBE_MS = 60_000

/** No retry helps until somebody mends the settings. */
const OPENS_AT_ONCE: ReadonlySet<FailureClass> = new Set(['auth', 'tls', 'config'])
const COUNTS: ReadonlySet<FailureClass> = new Set(['network', 'channel_refused', 'ambiguous'])
/** Says nothing about the channel: the mail never reached it, or the channel is fine and busy. */
const NEUTRAL: ReadonlySet<FailureClass> = new Set(['expired', 'render', 'cancelled', 'superseded', 'throttled'])

export function openBreaker(onClosed: (nowMs: number) => void = () => undefined): Breaker {
  const failed = new Map<string, number>()
  let blockage: Blockage | undefined
  let probeDelayMs = FIRST_PROBE_MS
  let isProbing = false

  function open(failure: DeliveryFailure, nowMs: number): void {
    const isReopened = blockage !== undefined
    probeDelayMs = isReopened ? Math.min(LAST_PROBE_MS, probeDelayMs * 2) : FIRST_PROBE_MS
    blockage = { failure, sinceMs: blockage?.sinceMs ?? nowMs, nextProbeAtMs: nowMs + probeDelayMs }
    failed.clear()
  }

  function close(nowMs: number): void {
    failed.clear()
    if (blockage === undefined) return
    blockage = undefined
    onClosed(nowMs)
  }

  function countFailure(messageId: string, failure: DeliveryFailure, nowMs: number): void {
    for (const [id, atMs] of failed) if (nowMs - atMs > WITHIN_MS) failed.delete(id)
    failed.set(messageId, nowMs)
    if (failed.size >= OPENS_AFTER) open(failure, nowMs)
  }

  return {
    allowance: (nowMs) => {
      if (blockage === undefined) return Number.POSITIVE_INFINITY
      return !isProbing && nowMs >= blockage.nextProbeAtMs ? 1 : 0
    },
    started: () => {
      if (blockage !== undefined) isProbing = true
    },
    ended: (messageId, failure, nowMs) => {
      const wasProbe = isProbing
      isProbing = false
      if (failure !== undefined && NEUTRAL.has(failure.class)) return
      if (failure === undefined || !(OPENS_AT_ONCE.has(failure.class) || COUNTS.has(failure.class))) return close(nowMs)
      // What was under way when it opened says nothing new.
      if (blockage !== undefined) return wasProbe ? open(failure, nowMs) : undefined
      if (OPENS_AT_ONCE.has(failure.class)) open(failure, nowMs)
      else countFailure(messageId, failure, nowMs)
    },
    blockage: () => blockage,
  }
}
