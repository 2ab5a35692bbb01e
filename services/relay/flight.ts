/** A row on its way: read, and not removed yet. */
import type { OutRecord } from '#libs/bus'
import type { Lane } from '#libs/messages'
import type { OwnedShard } from './owned-shards.ts'

export interface Flight {
  readonly owned: OwnedShard
  readonly seq: number
  readonly id: string
  readonly lane: Lane
  readonly partition: number
  readonly record: OutRecord
  readonly createdMs: number
  readonly traceparent: string
  readonly tracestate: string | null
}

/** Its size in memory and on the wire, nearly: records are ASCII but for names and subjects that are sealed anyway. */
export function sizeOf({ record }: Flight): number {
  return record.value.length
}
