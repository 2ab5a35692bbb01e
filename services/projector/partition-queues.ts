/**
 * Records that wait to be applied, by partition. While one batch is applied the next gathers, so batches grow with the load
 * and a lone record is applied at once. Nothing of a partition is taken before its stored offset is known.
 */
import type { InRecord } from '#libs/bus'
import type { ProjectorEvent } from './project-status.ts'

export interface PartitionQueue {
  readonly topic: string
  readonly partition: number
  /** The stored offset: the next record to be applied. */
  next: number
  /** The last offset that came in. */
  last: number
  waiting: Entry[]
  /** False once the partition was given up or is loaded anew. */
  active: boolean
}

export interface Entry {
  readonly queue: PartitionQueue
  readonly record: InRecord
  readonly event: ProjectorEvent | undefined
  /** Why there is no event. */
  readonly problem: string
  readonly receivedAtMs: number
}

export interface PartitionQueues {
  /** Begins anew with a partition at its stored offset. */
  readonly open: (topic: string, partition: number, next: number) => void
  /** Forgets one partition, or all. */
  readonly close: (topic?: string, partition?: number) => void
  /** Adds records; those of unknown partitions and those already applied are dropped. Resolves when there is room for more. */
  readonly add: (topic: string, partition: number, records: readonly InRecord[]) => Promise<void> | undefined
  /** Resolves when something waits, or on `stop`. */
  readonly ready: () => Promise<void>
  /** The oldest waiting entries of all partitions, in order within each; at most `max`. */
  readonly take: (max: number) => Entry[]
  /** Lets everyone who waits go on; nothing is taken in any more. */
  readonly stop: () => void
  readonly queues: () => Iterable<PartitionQueue>
}

export interface QueueOptions {
  readonly decode: (topic: string, record: InRecord) => Pick<Entry, 'event' | 'problem'>
  /** Records that may wait in memory; further ones wait in Kafka. */
  readonly capacity: number
}

export function openPartitionQueues({ decode, capacity }: QueueOptions): PartitionQueues {
  const queues = new Map<string, PartitionQueue>()
  let size = 0
  let stopped = false
  let turn = 0
  let onRoom: (() => void)[] = []
  let onReady: (() => void) | undefined

  function close(key: string): void {
    const queue = queues.get(key)
    if (queue === undefined) return
    queue.active = false
    size -= queue.waiting.length
    queue.waiting = []
    queues.delete(key)
  }

  function release(): void {
    if (size >= capacity && !stopped) return
    const released = onRoom
    onRoom = []
    for (const resume of released) resume()
  }

  return {
    open: (topic, partition, next) => {
      close(keyOf(topic, partition))
      queues.set(keyOf(topic, partition), { topic, partition, next, last: next - 1, waiting: [], active: true })
      release()
    },
    close: (topic, partition) => {
      if (topic === undefined || partition === undefined) for (const key of [...queues.keys()]) close(key)
      else close(keyOf(topic, partition))
      release()
    },
    add: (topic, partition, records) => {
      const queue = queues.get(keyOf(topic, partition))
      if (queue === undefined || stopped) return undefined
      const receivedAtMs = Date.now()
      for (const record of records) {
        if (record.offset <= queue.last) continue
        queue.last = record.offset
        queue.waiting.push({ queue, record, ...decode(topic, record), receivedAtMs })
        size++
      }
      if (size > 0) onReady?.()
      return size < capacity ? undefined : new Promise<void>((resolve) => onRoom.push(resolve))
    },
    ready: () => {
      if (size > 0 || stopped) return Promise.resolve()
      return new Promise((resolve) => {
        onReady = resolve
      })
    },
    take: (max) => {
      const taken: Entry[] = []
      const all = [...queues.values()]
      turn++
      for (let i = 0; i < all.length && taken.length < max; i++) {
        const queue = all[(turn + i) % all.length]!
        taken.push(...queue.waiting.splice(0, max - taken.length))
      }
      size -= taken.length
      release()
      return taken
    },
    stop: () => {
      stopped = true
      onReady?.()
      release()
    },
    queues: () => queues.values(),
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`
}
