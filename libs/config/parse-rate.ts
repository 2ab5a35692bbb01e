import { CodedError } from '#libs/errors'
import { DURATION, parseDuration } from './parse-duration.ts'

/** A count per duration: `100/1s`, `6000/1m`. */
export const RATE = new RegExp(`^[1-9][0-9]{0,8}/${DURATION.source.slice(1)}`)
export const RATE_MEANING = 'a count per duration of at least 1ms, such as 100/1s or 6000/1m'

const SHORTEST_MS = 1

export function isRate(text: string): boolean {
  return RATE.test(text) && periodOf(text) >= SHORTEST_MS
}

/**
 * @returns how many per second; undefined for an empty text, which limits nothing
 * @throws CONFIG_INVALID
 */
export function parseRate(text: string): number | undefined {
  if (text === '') return undefined
  if (!isRate(text))
    throw new CodedError('CONFIG_INVALID', `found ${JSON.stringify(text)}, allowed ${RATE_MEANING}, or nothing`)
  return (Number.parseInt(text, 10) * 1_000) / periodOf(text)
}

function periodOf(text: string): number {
  return parseDuration(text.slice(text.indexOf('/') + 1))
}
