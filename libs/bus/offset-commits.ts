/** Remembers how far each partition is done, and tells Kafka twice a second. */
import { messageOf } from '#libs/errors'
import type { Logger } from '#libs/telemetry'
import { type Assignment, type Position, positionOf } from './assignment.ts'

export interface OffsetCommits {
  /** Ignored for a partition that is not assigned, and below what was remembered. */
  readonly remember: (assignment: Assignment, topic: string, partition: number, nextOffset: number) => void
  /** Commits what is remembered; what fails stays for the next time, as long as the assignment lasts. Never rejects. */
  readonly flush: (assignment: Assignment) => Promise<void>
  readonly stop: () => void
}

export function openOffsetCommits(log: Logger, intervalMs: number): OffsetCommits {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false

  /** Armed only while something waits, so that an idle consumer has no timer. */
  function arm(assignment: Assignment): void {
    if (isStopped || assignment.isOver) return
    timer ??= setTimeout(() => {
      timer = undefined
      flush(assignment).catch((error) => log.error({ reason: messageOf(error) }, 'offsets not committed'))
    }, intervalMs)
  }

  async function flush(assignment: Assignment): Promise<void> {
    const { dirty, commitOffsets } = assignment
    if (dirty.size === 0 || commitOffsets === undefined) return
    const positions = [...dirty]
    dirty.clear()
    try {
      await commitOffsets({ topics: offsetsOf(positions) })
    } catch (error) {
      log.debug({ reason: messageOf(error), epoch: assignment.epoch }, 'offsets not committed yet')
      for (const position of positions) dirty.add(position)
      arm(assignment)
    }
  }

  return {
    remember: (assignment, topic, partition, nextOffset) => {
      const position = positionOf(assignment, topic, partition)
      if (position === undefined || nextOffset <= position.committable) return
      position.committable = nextOffset
      assignment.dirty.add(position)
      arm(assignment)
    },
    flush,
    stop: () => {
      isStopped = true
      clearTimeout(timer)
    },
  }
}

function offsetsOf(positions: readonly Position[]) {
  const byTopic = Map.groupBy(positions, ({ topic }) => topic)
  return [...byTopic].map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(({ partition, committable }) => ({ partition, offset: String(committable) })),
  }))
}
