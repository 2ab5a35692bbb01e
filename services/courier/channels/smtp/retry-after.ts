/** How long a server asks us to wait, where its reply says so in words. */

const UNIT_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000 }
const WORDS = /\b(\d{1,5}) ?(s|secs?|seconds?|m|mins?|minutes?|h|hours?)\b/i
/** Postgrey and others: "come back in 00:04:59". */
const CLOCK = /\b(\d{1,2}):(\d{2}):(\d{2})\b/
const MAX_MS = 24 * 3_600_000

/** In ms, at most a day; undefined when the text names no time. */
export function retryAfterMs(text: string): number | undefined {
  const [, hours, minutes, seconds] = CLOCK.exec(text) ?? []
  if (hours !== undefined) {
    return bounded(Number(hours) * 3_600_000 + Number(minutes) * 60_000 + Number(seconds) * 1_000)
  }
  const [, amount, unit = ''] = WORDS.exec(text) ?? []
  return amount === undefined ? undefined : bounded(Number(amount) * (UNIT_MS[unit.charAt(0).toLowerCase()] ?? 0))
}

function bounded(ms: number): number | undefined {
  return ms > 0 ? Math.min(ms, MAX_MS) : undefined
}
