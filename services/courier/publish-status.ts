/** Publishes status events in batches, then completes what waited for them: the offset, or the row in the event outbox. */
import type { OutRecord, Producer } from '#libs/bus'
import { messageOf } from '#libs/errors'
import { encodeStatus, partitionOfId, type StatusData, type StatusEvent, statusEventId } from '#libs/messages'
import type { Logger } from '#libs/telemetry'
import { completeOrigin, type Delivery } from './delivery.ts'
import type { LeaseLedger } from './lease-ledger.ts'

export interface StatusPublisher {
  /** Publishes a concluded event; `onAck` runs when it is durable. */
  readonly publish: (event: StatusEvent, delivery: Delivery, outboxId: number | null, onAck?: () => void) => void
  /** Publishes what the ledger stored once more. */
  readonly republish: (stored: string, delivery: Delivery | undefined, outboxId?: number) => void
  readonly pending: number
  /** Resolves when nothing is pending, or when `deadlineMs` has passed. */
  readonly drain: (deadlineMs: number) => Promise<void>
}

interface Pending {
  readonly record: OutRecord
  readonly partition: number
  readonly delivery: Delivery | undefined
  readonly outboxId: number | null
  readonly onAck: (() => void) | undefined
}

export interface PublisherOptions {
  readonly producer: Producer
  readonly ledger: LeaseLedger
  readonly topic: string
  readonly partitions: number
  readonly log: Logger
}

const RETRY_MS = 1_000

export function openStatusPublisher(options: PublisherOptions): StatusPublisher {
  const { producer, ledger, topic, partitions, log } = options
  let waiting: Pending[] = []
  let inFlight = 0
  let flushing = false
  let idle: (() => void)[] = []

  function enqueue(
    event: StatusEvent,
    delivery: Delivery | undefined,
    outboxId: number | null,
    onAck?: () => void,
  ): void {
    waiting.push({
      record: encodeStatus(event),
      partition: partitionOfId(event.data.message_id, partitions),
      delivery,
      outboxId,
      onAck,
    })
    if (!flushing) {
      flushing = true
      setImmediate(flush)
    }
  }

  /** One round at a time: while it is in flight the next one gathers, so batches grow with the load. */
  function flush(): void {
    const batch = waiting
    waiting = []
    inFlight = batch.length
    sendBatch(batch)
      .catch((error) => {
        log.error({ reason: messageOf(error), events: batch.length }, 'status events not published, trying again')
        waiting = batch.concat(waiting)
        return new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      })
      .finally(() => {
        inFlight = 0
        flushing = waiting.length > 0
        if (flushing) setImmediate(flush)
        else for (const resolve of idle.splice(0)) resolve()
      })
  }

  async function sendBatch(batch: readonly Pending[]): Promise<void> {
    const byPartition = new Map<number, OutRecord[]>()
    for (const { partition, record } of batch) {
      const records = byPartition.get(partition)
      if (records === undefined) byPartition.set(partition, [record])
      else records.push(record)
    }
    const sends: Promise<void>[] = []
    for (const [partition, records] of byPartition) sends.push(producer.send(topic, partition, records))
    await Promise.all(sends)

    const published: number[] = []
    for (const { delivery, outboxId, onAck } of batch) {
      if (delivery !== undefined) completeOrigin(delivery)
      if (outboxId !== null) published.push(outboxId)
      onAck?.()
    }
    // Left behind on failure, on purpose: the sweep publishes them again, under the same event id.
    if (published.length > 0) {
      ledger
        .forgetEvents(published)
        .catch((error) => log.warn({ reason: messageOf(error) }, 'published events not forgotten yet'))
    }
  }

  return {
    publish: enqueue,
    republish: (stored, delivery, outboxId) => enqueue(parseStoredEvent(stored), delivery, outboxId ?? null),
    get pending() {
      return waiting.length + inFlight
    },
    drain: async (deadlineMs) => {
      if (!flushing) return
      const drained = new Promise<void>((resolve) => idle.push(resolve))
      await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())])
      idle = []
    },
  }
}

/** What the ledger keeps of an event, to publish the very same one again. */
export function storedEvent({ data, traceparent, createdBy }: StatusEvent): string {
  return JSON.stringify({ traceparent, createdBy, data })
}

function parseStoredEvent(text: string): StatusEvent {
  const { traceparent, createdBy, data } = JSON.parse(text) as {
    traceparent: string
    createdBy: string
    data: StatusData
  }
  return { id: statusEventId(data.message_id, data.dispatch, data.status), data, traceparent, createdBy }
}
