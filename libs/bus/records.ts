import type { IHeaders, KafkaMessage } from 'kafkajs'

/** A record to publish. */
export interface OutRecord {
  readonly key: string
  readonly value: string | Buffer
  readonly headers: Readonly<Record<string, string>>
}

/** A record as it was consumed. */
export interface InRecord {
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Where a name occurs more than once, its last value. */
  readonly headers: Readonly<Record<string, Buffer>>
  readonly timestampMs: number
}

/** Offsets are exact up to 2^53, which a partition does not reach in any lifetime. */
export function inRecord({ offset, key, value, headers, timestamp }: KafkaMessage): InRecord {
  return { offset: Number(offset), key, value, headers: lastHeaders(headers), timestampMs: Number(timestamp) }
}

/** The headers themselves where each has one value, which is nearly always. */
function lastHeaders(headers: IHeaders = {}): Record<string, Buffer> {
  if (isSingle(headers)) return headers
  const last = Object.entries(headers).map(
    ([name, given]) => [name, Array.isArray(given) ? given.at(-1) : given] as const,
  )
  return Object.fromEntries(last.filter((entry): entry is [string, Buffer] => Buffer.isBuffer(entry[1])))
}

function isSingle(headers: IHeaders): headers is Record<string, Buffer> {
  for (const name of Object.keys(headers)) if (!Buffer.isBuffer(headers[name])) return false
  return true
}
