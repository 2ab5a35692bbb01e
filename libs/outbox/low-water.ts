/**
 * Where a read may begin without missing a row, so that it does not walk over the dead entries of an index that vacuum cannot clean.
 * No cursor: a row that commits late has its place above the frontier, since the frontier waits for its transaction.
 */
import type { Database } from '#libs/database'

export interface OutboxSample {
  /** The highest place that was drawn. */
  readonly seq: number
  /** Of the statement's snapshot: every transaction below has ended. */
  readonly xmin: bigint
  /**
   * The statement's own: every transaction that had a number by then is below. The snapshot's xmax would not do: it follows the last
   * transaction that has ended, and may lie below one that is running.
   */
  readonly xid: bigint
}

export interface Frontier {
  /** Every transaction that could hold a place below has ended; undefined while nothing is known. */
  readonly value: number | undefined
  readonly add: (sample: OutboxSample) => void
  /** To be called when the server may have restarted: places that were drawn but not written to disk are drawn again. */
  readonly forget: () => void
}

export function openFrontier(): Frontier {
  let value: number | undefined
  let samples: OutboxSample[] = []

  return {
    get value() {
      return value
    },
    add: (sample) => {
      samples.push(sample)
      // A place up to samples[k].seq was drawn before sample k + 1 took its number, by a transaction that had one already.
      while (samples.length > 1 && sample.xmin > samples[1]!.xid) {
        value = samples[0]!.seq + 1
        samples.shift()
      }
      // A long transaction holds all of them back. The newest two suffice to go on from when it ends, the oldest two for now.
      if (samples.length > 4) samples = [samples[0]!, samples[1]!, samples.at(-2)!, samples.at(-1)!]
    },
    forget: () => {
      value = undefined
      samples = []
    },
  }
}

/**
 * Low-water mark of a shard after a read that started with `frontier`: never above the frontier, nor above a row that is still there.
 * @param firstSeq the lowest place among the rows that the read returned and those that it left out because they were under way
 */
export function lowWaterAfter(frontier: number | undefined, firstSeq: number | undefined): number {
  return frontier === undefined ? 0 : Math.min(frontier, firstSeq ?? frontier)
}

// Until the first place is drawn, last_value is the one that will be.
const SAMPLE = `
  select (select last_value - (not is_called)::integer from outbox.message_seq_seq) as seq,
    pg_snapshot_xmin(pg_current_snapshot())::text as xmin, pg_current_xact_id()::text as xid`

export async function sampleOutbox(database: Database): Promise<OutboxSample> {
  const { rows } = await database.query<{ seq: number; xmin: string; xid: string }>({
    name: 'outbox-sample',
    text: SAMPLE,
  })
  const { seq, xmin, xid } = rows[0]!
  return { seq, xmin: BigInt(xmin), xid: BigInt(xid) }
}
