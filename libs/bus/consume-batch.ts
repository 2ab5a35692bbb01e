/** Hands batches to the owner, and only those that continue where the partition stands. */
import type { Batch, EachBatchPayload } from 'kafkajs'
import type { Logger } from '#libs/telemetry'
import { type Assignment, type Position, positionOf } from './assignment.ts'
import { type InRecord, inRecord } from './records.ts'
import { waitInBatch } from './wait-in-batch.ts'

export interface BatchPorts {
  readonly current: () => Assignment | undefined
  readonly onRecords: (
    topic: string,
    partition: number,
    records: InRecord[],
    assignment: { epoch: number },
  ) => void | Promise<void> | undefined
  readonly seek: (position: Position) => void
  /** Begins anew from what the broker says. */
  readonly reassign: (assignment: Assignment) => void
  /** The owner failed: nothing more is handed over. */
  readonly fail: (error: unknown) => void
  /** Told of every batch that is handed over. */
  readonly consumed?: (topic: string, count: number) => void
  readonly heartbeatMs: number
  readonly log: Logger
}

/** kafkajs keeps it out of its types: the offset that was asked for. */
type FetchedBatch = Batch & { readonly fetchedOffset: string }

/**
 * The position moves as soon as the records are handed over; nothing is committed. Batches that come after a rebalance and were fetched
 * before it are dropped.
 */
export function openConsumeBatch(ports: BatchPorts): (payload: EachBatchPayload) => Promise<void> {
  const wait = (waited: Promise<void>, assignment: Assignment, { heartbeat }: EachBatchPayload): Promise<void> =>
    waitInBatch(waited, assignment, heartbeat, ports.heartbeatMs)

  return async (payload) => {
    const assignment = ports.current()
    if (assignment === undefined) return
    assignment.commitOffsets = payload.commitOffsetsIfNecessary
    if (!assignment.isReady) await wait(assignment.ready, assignment, payload)
    // Still there after a heartbeat that failed for another reason than a rebalance.
    if (assignment.room !== undefined) await wait(assignment.room, assignment, payload)
    if (assignment.isOver || payload.isStale()) return

    const batch = payload.batch as FetchedBatch
    const position = positionOf(assignment, batch.topic, batch.partition)
    if (position === undefined || !continues(position, Number(batch.fetchedOffset), assignment)) return
    handOver(payload, position, assignment)
    if (assignment.room !== undefined) await wait(assignment.room, assignment, payload)
  }

  function handOver({ batch, resolveOffset }: EachBatchPayload, position: Position, assignment: Assignment): void {
    const records = batch.messages.map(inRecord)
    position.next = Number(batch.lastOffset()) + 1
    position.end = Number(batch.highWatermark)
    ports.consumed?.(batch.topic, records.length)
    resolveOffset(batch.messages.at(-1)!.offset)
    try {
      const answer = ports.onRecords(batch.topic, batch.partition, records, { epoch: assignment.epoch })
      if (answer === undefined) return
      const room = answer.catch(ports.fail).finally(() => {
        if (assignment.room === room) assignment.room = undefined
      })
      assignment.room = room
    } catch (error) {
      ports.fail(error)
    }
  }

  /**
   * A stray batch comes once: the seek brings the expected one. The same offset again means that what was expected is gone: forward, it
   * was deleted or was never a record; backward, the partition is not the one it was.
   */
  function continues(position: Position, fetchedOffset: number, assignment: Assignment): boolean {
    const { topic, partition, next, refused } = position
    position.refused = undefined
    if (fetchedOffset === next) return true
    if (fetchedOffset !== refused) {
      position.refused = fetchedOffset
      ports.log.info({ topic, partition, expected: next, found: fetchedOffset }, 'batch out of place dropped')
      ports.seek(position)
      return false
    }
    ports.log.warn({ topic, partition, expected: next, found: fetchedOffset }, 'expected records do not exist any more')
    if (fetchedOffset > next) return true
    ports.reassign(assignment)
    return false
  }
}
