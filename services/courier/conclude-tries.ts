/**
 * From the end of a try to a durable conclusion: decide, build the event, write ledger rows in batches, then publish.
 * The one window in which a mail can be sent twice ends when a batch is durable, so batches wait at most a few milliseconds.
 */
import { type Decision, decide, type RetryPolicy } from '#libs/delivery'
import { messageOf } from '#libs/errors'
import type { StatusEvent } from '#libs/messages'
import type { Logger } from '#libs/telemetry'
import type { CourierMetrics } from './courier-metrics.ts'
import type { CourierTracing, DeliverySpans } from './courier-tracing.ts'
import { completeOrigin, type Delivery, payloadOf } from './delivery.ts'
import { inHalves } from './in-halves.ts'
import type { Conclusion, LeaseLedger } from './lease-ledger.ts'
import { type StatusPublisher, storedEvent } from './publish-status.ts'
import type { BuildEvent } from './status-of-try.ts'
import type { TryResult } from './try-result.ts'

export interface ConcluderPorts {
  readonly ledger: LeaseLedger
  readonly publisher: StatusPublisher
  readonly policy: RetryPolicy
  readonly buildEvent: BuildEvent
  readonly metrics: CourierMetrics
  readonly tracing: CourierTracing
  readonly log: Logger
}

export interface Concluder {
  readonly conclude: (delivery: Delivery, result: TryResult) => void
  readonly pending: () => number
  readonly drain: (deadlineMs: number) => Promise<void>
}

interface Item {
  readonly delivery: Delivery
  readonly conclusion: Conclusion
  readonly event: StatusEvent
  readonly spans: DeliverySpans | undefined
}

/** Gathering time under load; alone, a conclusion is written at once. */
const GATHER_MS = 3
const FULL = 100
const RETRY_MS = 500

export function openConcluder(ports: ConcluderPorts): Concluder {
  const { ledger, publisher, log } = ports
  let waiting: Item[] = []
  let writing = 0
  let busy = false
  let lastBatch = 0
  let timer: NodeJS.Timeout | undefined
  const drained: (() => void)[] = []

  function conclude(delivery: Delivery, result: TryResult): void {
    waiting.push(itemOf(delivery, result, ports))
    if (busy) return
    if (lastBatch <= 1 || waiting.length >= FULL) flush()
    else timer ??= setTimeout(flush, GATHER_MS)
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    busy = true
    const batch = waiting.sort(byId)
    waiting = []
    writing = batch.length
    lastBatch = batch.length
    write(batch)
      .catch((error) => {
        // PostgreSQL is away: what was sent stays in memory and still counts, as long as nobody takes it over.
        log.warn({ reason: messageOf(error), messages: batch.length }, 'conclusions not written, trying again')
        waiting = batch.concat(waiting)
        return new Promise((resolve) => setTimeout(resolve, RETRY_MS))
      })
      .finally(() => {
        busy = false
        writing = 0
        if (waiting.length >= FULL) flush()
        else if (waiting.length > 0) timer ??= setTimeout(flush, waiting.length > 1 ? GATHER_MS : 0)
        else for (const resolve of drained.splice(0)) resolve()
      })
  }

  async function write(batch: readonly Item[]): Promise<void> {
    const written = await inHalves(
      batch,
      async (items) => ledger.conclude(items.map(({ conclusion }) => conclusion)),
      log,
    )
    const outboxIds = new Map(written.map(({ id, outboxId }) => [id, outboxId]))
    for (const item of batch) settle(item, outboxIds.get(item.delivery.record.id))
  }

  function settle({ delivery, event, spans }: Item, outboxId: number | null | undefined): void {
    delivery.stage = 'done'
    if (outboxId === undefined) {
      // Someone else holds the message by now and will report it.
      ports.metrics.lateFinish()
      log.warn(
        { message_id: delivery.record.id, dispatch: delivery.dispatch },
        'conclusion came after another courier took over',
      )
      completeOrigin(delivery)
      spans?.end()
      return
    }
    ports.metrics.concluded(event)
    publisher.publish(event, delivery, outboxId, spans?.end)
  }

  return {
    conclude,
    pending: () => waiting.length + writing,
    drain: async (deadlineMs) => {
      if (waiting.length + writing === 0) return
      const done = new Promise<void>((resolve) => drained.push(resolve))
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())])
    },
  }
}

function itemOf(delivery: Delivery, result: TryResult, ports: ConcluderPorts): Item {
  const failure = result.failure ?? result.attempt?.failure
  const outcome = result.attempt?.outcome ?? (failure?.class === 'ambiguous' ? 'unknown' : 'failed')
  const decision = decide(
    {
      outcome,
      ...(failure === undefined ? {} : { failure }),
      dispatch: delivery.dispatch,
      charged: delivery.charged,
      // Set aside without a try: too many couriers stopped while they held it.
      unknowns: result.attempt === undefined ? delivery.reclaims : delivery.unknowns,
      nowMs: Date.now(),
      expiresAtMs: delivery.expiresAtMs,
      random: Math.random(),
    },
    ports.policy,
  )
  const charged = delivery.charged + (chargesBudget(decision, result) ? 1 : 0)
  const unknowns = delivery.unknowns + (outcome === 'unknown' ? 1 : 0)
  const spans = ports.tracing.spansOf(delivery, result, decision)
  const event = ports.buildEvent({
    delivery,
    result,
    failure,
    decision,
    charged,
    unknowns,
    traceparent: spans?.traceparent,
  })
  const conclusion: Conclusion = {
    id: delivery.record.id,
    dispatch: delivery.dispatch,
    state: stateOf(decision),
    charged,
    unknowns,
    dueAt: dueAtOf(decision, delivery),
    payload: decision.kind === 'retry' || decision.kind === 'hold' ? payloadOf(delivery) : null,
    event: storedEvent(event),
  }
  return { delivery, conclusion, event, spans }
}

function chargesBudget(decision: Decision, result: TryResult): boolean {
  return decision.kind === 'retry' ? decision.charged : result.attempt !== undefined
}

function stateOf(decision: Decision): Conclusion['state'] {
  if (decision.kind === 'retry') return 'waiting'
  return decision.kind === 'hold' ? 'held' : 'done'
}

/** A held message waits for an operator, and ends when its life does. */
function dueAtOf(decision: Decision, delivery: Delivery): Date | null {
  if (decision.kind === 'retry') return new Date(decision.atMs)
  return decision.kind === 'hold' ? new Date(delivery.expiresAtMs) : null
}

function byId(a: Item, b: Item): number {
  return a.delivery.record.id < b.delivery.record.id ? -1 : 1
}
