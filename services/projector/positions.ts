/** Where each partition goes on: at the offset stored beside the read model, never at the one that Kafka keeps. */
import type { Consumer } from '#libs/bus'
import type { Database } from '#libs/database'
import { messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import type { Logger } from '#libs/telemetry'
import type { PartitionQueue, PartitionQueues } from './partition-queues.ts'
import { loadOffset, resetOffset } from './read-model.ts'

export interface AssignedPartition {
  readonly topic: string
  readonly partition: number
  /** The group's committed offset; -1 where there is none. */
  readonly committed: number
  readonly earliest: number
}

export interface Positions {
  /** Loads the stored offset, opens the queue and seeks; waits out a database that is away. */
  readonly assign: (assigned: AssignedPartition) => Promise<void>
  /** The same for a queue whose stored offset turned out to be elsewhere. */
  readonly reload: (queue: PartitionQueue) => Promise<void>
}

export interface PositionPorts {
  readonly database: Database
  readonly queues: PartitionQueues
  readonly seek: Consumer['seek']
  readonly stopping: AbortSignal
  readonly log: Logger
}

const RETRY_MS = 500

export function openPositions({ database, queues, seek, stopping, log }: PositionPorts): Positions {
  async function begin(topic: string, partition: number, stored: number, earliest: number): Promise<void> {
    if (stopping.aborted) return
    queues.open(topic, partition, stored)
    seek(topic, partition, Math.max(stored, earliest))
  }

  async function patiently<T>(task: () => Promise<T>, fallback: T): Promise<T> {
    while (!stopping.aborted) {
      try {
        return await task()
      } catch (error) {
        log.warn({ reason: messageOf(error) }, 'stored offset not loaded, trying again')
        await sleep(RETRY_MS, stopping)
      }
    }
    return fallback
  }

  return {
    assign: async ({ topic, partition, committed, earliest }) => {
      let stored = await patiently(() => loadOffset(database, topic, partition, earliest), earliest)
      // Kafka has forgotten the group: its offsets expired, or the cluster is a new one whose offsets mean other records.
      // Applying all of it again is safe; waiting for an offset that may never come is not.
      if (committed < 0 && stored > earliest) {
        log.warn(
          { topic, partition, stored, earliest },
          'the group is new to Kafka: the partition is read from its start',
        )
        await patiently(() => resetOffset(database, topic, partition, earliest), undefined)
        stored = earliest
      }
      await begin(topic, partition, stored, earliest)
    },
    reload: async ({ topic, partition, next, active }) => {
      if (!active) return
      const stored = await patiently(() => loadOffset(database, topic, partition, next), next)
      log.info({ topic, partition, expected: next, stored }, 'stored offset moved: going on from there')
      await begin(topic, partition, stored, stored)
    },
  }
}
