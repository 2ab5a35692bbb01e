/** Publishes status events in batches, then completes what waited for them: the offset, or the row in the event outbox. */
import type { OutRecord, Producer } from '#libs/bus'
import { isCoded, messageOf } from '#libs/errors'
import { encodeStatus, partitionOfId, type StatusData, type StatusEvent, statusEventId } from '#libs/messages'
import type { Logger } from '#libs/telemetry'
import type { CourierMetrics } from './courier-metrics.ts'
import type { CourierTracing } from './courier-tracing.ts'
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
  readonly delivery: Delivery | undefined
  readonly outboxId: number | null
  readonly onAck: (() => void) | undefined
}

/** Events of one partition: while a batch is in flight the next one gathers, so batches grow with the load. */
interface Lane {
  readonly partition: number
  waiting: Pending[]
  flushing: boolean
}

export interface PublisherOptions {
  readonly producer: Pick<Producer, 'send'>
  readonly ledger: Pick<LeaseLedger, 'forgetEvents'>
  readonly topic: string
  readonly partitions: number
  readonly tracing?: Pick<CourierTracing, 'republishing'>
  readonly metrics?: Pick<CourierMetrics, 'published' | 'notPublished'>
  readonly log: Logger
}

const RETRY_MS = 1_000

export function openStatusPublisher(options: PublisherOptions): StatusPublisher {
  const { producer, ledger, topic, partitions, log } = options
  const lanes: Lane[] = Array.from({ length: partitions }, (_, partition) => ({
    partition,
    waiting: [],
    flushing: false,
  }))
  /** Rows of the event outbox that are on their way: the sweep sees them again as long as they are. */
  const underWay = new Set<number>()
  let pending = 0
  let idle: (() => void)[] = []

  function enqueue(
    event: StatusEvent,
    delivery: Delivery | undefined,
    outboxId: number | null,
    onAck?: () => void,
  ): void {
    const lane = lanes[partitionOfId(event.data.message_id, partitions)]
    if (lane === undefined) return
    if (outboxId !== null) underWay.add(outboxId)
    pending += 1
    lane.waiting.push({ record: encodeStatus(event), delivery, outboxId, onAck })
    wake(lane)
  }

  function wake(lane: Lane): void {
    if (lane.flushing) return
    lane.flushing = true
    setImmediate(flush, lane)
  }

  function flush(lane: Lane): void {
    const batch = lane.waiting
    lane.waiting = []
    sendBatch(lane, batch)
      .then((left) => {
        if (left.length > 0) setTimeout(tryAgain, RETRY_MS, lane, left)
      })
      .finally(() => {
        lane.flushing = false
        if (lane.waiting.length > 0) wake(lane)
        else if (pending === 0) for (const resolve of idle.splice(0)) resolve()
      })
  }

  function tryAgain(lane: Lane, items: readonly Pending[]): void {
    lane.waiting = items.concat(lane.waiting)
    wake(lane)
  }

  /** @returns what is not published. */
  async function sendBatch({ partition }: Lane, batch: readonly Pending[]): Promise<readonly Pending[]> {
    let left: readonly Pending[] = []
    try {
      await producer.send(
        topic,
        partition,
        batch.map(({ record }) => record),
      )
    } catch (error) {
      log.error(
        { partition, reason: messageOf(error), events: batch.length },
        'status events not published, trying again',
      )
      left = notPublished(batch, error)
      options.metrics?.notPublished(isCoded(error) ? error.code : '_OTHER', left.length)
    }
    settle(left.length === 0 ? batch : batch.filter((item) => !left.includes(item)))
    return left
  }

  function settle(published: readonly Pending[]): void {
    const outboxIds: number[] = []
    pending -= published.length
    options.metrics?.published(published)
    for (const { delivery, outboxId, onAck } of published) {
      if (delivery !== undefined) completeOrigin(delivery)
      if (outboxId !== null) outboxIds.push(outboxId)
      onAck?.()
    }
    if (outboxIds.length > 0) forget(outboxIds)
  }

  /** Left behind on failure, on purpose: the sweep publishes them again, under the same event id. */
  function forget(outboxIds: readonly number[]): void {
    ledger
      .forgetEvents(outboxIds)
      .catch((error) => log.warn({ reason: messageOf(error) }, 'published events not forgotten yet'))
      .finally(() => {
        for (const id of outboxIds) underWay.delete(id)
      })
  }

  return {
    publish: enqueue,
    republish: (stored, delivery, outboxId) => {
      if (outboxId !== undefined && underWay.has(outboxId)) return
      const event = parseStoredEvent(stored)
      const spans = options.tracing?.republishing(event)
      enqueue({ ...event, ...(spans && { traceparent: spans.traceparent }) }, delivery, outboxId ?? null, spans?.end)
    },
    get pending() {
      return pending
    },
    drain: async (deadlineMs) => {
      if (pending === 0) return
      const drained = new Promise<void>((resolve) => idle.push(resolve))
      await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())])
      idle = []
    },
  }
}

/** What Kafka refuses alone does not take the others with it: those are written. */
function notPublished(batch: readonly Pending[], error: unknown): readonly Pending[] {
  const refused = isCoded(error, 'PRODUCE_REFUSED') ? error.details?.refused : undefined
  if (!Array.isArray(refused)) return batch
  return batch.filter((_, index) => refused.includes(index))
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
