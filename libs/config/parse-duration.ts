import { CodedError } from '#libs/errors'

/** One or more numbers, each with its unit, as Go writes durations: `1h30m`, `250ms`, `1.5s`. No sign, no days. */
export const DURATION = /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/

const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
}

/**
 * @returns milliseconds, a fraction where the text goes below one
 * @throws CONFIG_INVALID
 */
export function parseDuration(text: string): number {
  if (!DURATION.test(text)) {
    throw new CodedError(
      'CONFIG_INVALID',
      `found ${JSON.stringify(text)}, allowed a duration such as 1h30m, 30s or 250ms`,
    )
  }
  return [...text.matchAll(PART)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ''] ?? 0),
    0,
  )
}
