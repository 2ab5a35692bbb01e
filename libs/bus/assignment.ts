import type { EachBatchPayload } from 'kafkajs'

/** A partition as the group gave it to this member. */
export interface AssignedPartition {
  readonly topic: string
  readonly partition: number
  /** The group's committed offset; -1 where there is none. */
  readonly committed: number
  /** The first offset that Kafka still has. */
  readonly earliest: number
  /** One past the last record. */
  readonly end?: number
}

/** Where one partition stands. */
export interface Position {
  readonly topic: string
  readonly partition: number
  /** The offset that the next batch must have been fetched from. */
  next: number
  /** Where the member went on when it got the partition. */
  readonly start: number
  /** One past the partition's last record, as far as this member has heard. */
  end: number
  /** The highest offset that was given to commit. */
  committable: number
  /** The offset of the batch that was refused last; undefined once the expected one has come. */
  refused: number | undefined
}

/** What one join of the group brought. Everything of an older epoch is void. */
export interface Assignment {
  readonly epoch: number
  readonly members: Readonly<Record<string, readonly number[]>>
  readonly positions: Map<string, Position>
  /** Resolves when the positions are known and the owner is told. */
  readonly ready: Promise<void>
  readonly setReady: () => void
  isReady: boolean
  isOver: boolean
  /** Wakes a batch that waits. */
  onOver: (() => void) | undefined
  /** The owner's answer to the last batch, while it is not ready for more. */
  room: Promise<void> | undefined
  /** Positions whose committable offset Kafka does not know yet. */
  readonly dirty: Set<Position>
  /** Commits under the generation of this join, once: unlike `consumer.commitOffsets`, which tries again under the next one. */
  commitOffsets: EachBatchPayload['commitOffsetsIfNecessary'] | undefined
}

export function newAssignment(epoch: number, members: Assignment['members']): Assignment {
  const { promise, resolve } = Promise.withResolvers<void>()
  return {
    epoch,
    members,
    positions: new Map(),
    ready: promise,
    setReady: resolve,
    isReady: false,
    isOver: false,
    onOver: undefined,
    room: undefined,
    dirty: new Set(),
    commitOffsets: undefined,
  }
}

export function setPositions({ positions }: Assignment, partitions: readonly AssignedPartition[]): void {
  for (const { topic, partition, committed, earliest, end = 0 } of partitions) {
    const next = Math.max(committed, earliest)
    positions.set(keyOf(topic, partition), {
      topic,
      partition,
      next,
      start: next,
      end,
      committable: committed,
      refused: undefined,
    })
  }
}

export function positionOf({ positions }: Assignment, topic: string, partition: number): Position | undefined {
  return positions.get(keyOf(topic, partition))
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}
