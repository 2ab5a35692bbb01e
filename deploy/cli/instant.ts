/** Times as options take them, without loading the configuration for it. */
import { InvalidArgumentError } from 'commander'

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g

/** `90s`, `1h30m`, `7d`. @throws InvalidArgumentError */
export function durationMs(text: string): number {
  if (!DURATION.test(text)) throw new InvalidArgumentError('Allowed is a time such as 90s, 15m, 1h30m or 7d.')
  return [...text.matchAll(PART)].reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit as 'ms'], 0)
}

/** A time ago, or an instant of RFC 3339 with its zone. @returns RFC 3339 in UTC. @throws InvalidArgumentError */
export function instant(text: string): string {
  const atMs = DURATION.test(text) ? Date.now() - durationMs(text) : zoned(text)
  // Not even a Date holds what is further away.
  if (!(Math.abs(atMs) < 8.64e15))
    throw new InvalidArgumentError(
      'Allowed are a time ago such as 1h or 7d, and an instant such as 2026-01-02T03:04:05Z.',
    )
  return new Date(atMs).toISOString()
}

/** A day alone is its beginning in UTC; an instant without a zone would be another one on each machine. */
function zoned(text: string): number {
  return /^\d{4}-\d\d-\d\d([T ].*(Z|[+-]\d\d:\d\d))?$/i.test(text) ? Date.parse(text) : Number.NaN
}
