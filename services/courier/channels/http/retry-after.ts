/** RFC 9110 10.2.3: seconds, or the date in one of HTTP's forms. */
const MAX_MS = 24 * 3_600_000

/** How long a server asks us to wait, in ms, at most a day; undefined where it does not say, or says a time that has passed. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? ''
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : dateOf(text) - nowMs
  return ms > 0 ? Math.min(ms, MAX_MS) : undefined
}

/** `Date.parse` alone would take `5m` for a date. NaN for anything else. */
function dateOf(text: string): number {
  return /^[A-Z][a-z]{2,8},? .*\d\d:\d\d:\d\d/.test(text)
    ? Date.parse(/GMT|UTC/.test(text) ? text : `${text} GMT`)
    : Number.NaN
}
