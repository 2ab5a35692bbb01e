import { createHash } from 'node:crypto'
import type { MessageId } from '#libs/messages'

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** An id is of the last 24 h and at most 5 min ahead; the rest is left for a row that Kafka keeps waiting after it was reserved. */
const OLDEST_MS = 23 * HOUR_MS
const AHEAD_MS = 4 * MINUTE_MS

/**
 * The instant inside the id: when Kratos wrote the row, moved to the edge of what an id may say where that is too far from now. Moved, not
 * replaced by now: of two codes for one address the later one has to stay the later one.
 * @returns whole ms
 */
export function idBaseMs(createdMs: number, nowMs: number): number {
  return Math.floor(Math.min(Math.max(createdMs, nowMs - OLDEST_MS), nowMs + AHEAD_MS))
}

/** The same row in the same generation always has the same id, of the shape that all ids have. */
export function kratosMessageId(kratosId: string, generation: number, baseMs: number): MessageId {
  const bytes = createHash('sha256').update(`${kratosId}.${generation}.${baseMs}`).digest().subarray(0, 16)
  bytes.writeUIntBE(baseMs, 0, 6)
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-') as MessageId
}
