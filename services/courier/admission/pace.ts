/**
 * How fast a channel may be sent to. Pure: the clock is a parameter. A provider that throttles halves the rate, quiet seconds
 * raise it again; after an outage the number of concurrent sends grows from a tenth to the whole within a minute.
 */
export interface Pace {
  /** How many sends may start now, of which `busy` are under way. */
  readonly allowance: (busy: number, nowMs: number) => number
  readonly started: (nowMs: number) => void
  readonly throttled: (nowMs: number) => void
  /** The channel works again after an outage. */
  readonly recovered: (nowMs: number) => void
  /** Mails per second; undefined while nobody asked for less. */
  readonly ratePerSecond: () => number | undefined
}

const RAMP_MS = 60_000
const RAMP_FIRST = 0.1
const LEAST_RATE = 1
const WINDOW_MS = 1_000
/** One refusal of many concurrent sends is one sign, not many. */
const HALVE_EVERY_MS = 1_000
const QUIET_MS = 5_000
const GROWTH_PER_SECOND = 1.1
/** Where the rate has grown to this multiple of what was too much, the limit was of the moment. */
const FORGET_AT = 4

export function openPace(maxConcurrent: number): Pace {
  let rate: number | undefined
  let tooMuch = 0
  let tokens = 0
  let refilledAtMs = 0
  let grownAtMs = 0
  let halvedAtMs = Number.NEGATIVE_INFINITY
  let recoveredAtMs = Number.NEGATIVE_INFINITY
  let windowAtMs = 0
  let inWindow = 0
  let lastWindow = 0

  function roll(nowMs: number): void {
    if (nowMs - windowAtMs < WINDOW_MS) return
    lastWindow = nowMs - windowAtMs < 2 * WINDOW_MS ? inWindow : 0
    inWindow = 0
    windowAtMs = nowMs
  }

  function refill(nowMs: number): void {
    if (rate === undefined) return
    if (nowMs - halvedAtMs > QUIET_MS) {
      rate *= GROWTH_PER_SECOND ** ((nowMs - Math.max(grownAtMs, halvedAtMs + QUIET_MS)) / 1_000)
      grownAtMs = nowMs
    }
    tokens = Math.min(Math.max(1, rate / 4), tokens + (rate * (nowMs - refilledAtMs)) / 1_000)
    refilledAtMs = nowMs
    if (rate > tooMuch * FORGET_AT) rate = undefined
  }

  function concurrency(nowMs: number): number {
    const share = RAMP_FIRST + ((1 - RAMP_FIRST) * (nowMs - recoveredAtMs)) / RAMP_MS
    return share >= 1 ? maxConcurrent : Math.max(1, Math.floor(maxConcurrent * share))
  }

  return {
    allowance: (busy, nowMs) => {
      refill(nowMs)
      const room = Math.max(0, concurrency(nowMs) - busy)
      return rate === undefined ? room : Math.min(room, Math.floor(tokens))
    },
    started: (nowMs) => {
      roll(nowMs)
      inWindow += 1
      if (rate !== undefined) tokens -= 1
    },
    throttled: (nowMs) => {
      if (nowMs - halvedAtMs < HALVE_EVERY_MS) return
      roll(nowMs)
      tooMuch = rate ?? Math.max(inWindow, lastWindow, LEAST_RATE)
      rate = Math.max(LEAST_RATE, tooMuch / 2)
      tokens = Math.min(tokens, 1)
      halvedAtMs = nowMs
      refilledAtMs = nowMs
      grownAtMs = nowMs
    },
    recovered: (nowMs) => {
      recoveredAtMs = nowMs
    },
    ratePerSecond: () => rate,
  }
}
