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

function lastHeaders(headers: IHeaders | undefined): Record<string, Buffer> {
  const last: Record<string, Buffer> = {}
  if (headers === undefined) return last
  for (const name of Object.keys(headers)) {
    const given = headers[name]
    const value = Array.isArray(given) ? given.at(-1) : given
    if (Buffer.isBuffer(value)) last[name] = value
  }
  return last
}
