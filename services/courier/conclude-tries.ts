/**
 * From the end of a try to a durable conclusion: decide, build the event, write ledger rows in batches, then publish.
 * The one window in which a mail can be sent twice ends when a batch is durable, so batches wait at most a few milliseconds.
 */
import { type Decision, decide, type RetryPolicy } from '#libs/delivery'
import { messageOf } from '#libs/errors'
import type { MessageRecord, StatusEvent } from '#libs/messages'
import type { Logger } from '#libs/telemetry'
import type { CourierMetrics } from './courier-metrics.ts'
import type { CourierTracing, DeliverySpans } from './courier-tracing.ts'
import { completeOrigin, type Delivery, logFieldsOf, payloadOf } from './delivery.ts'
import { inHalves } from './in-halves.ts'
import type { Conclusion, LeaseLedger, LedgerEntry } from './lease-ledger.ts'
import { SENDING } from './ledger-state.ts'
import { logTry } from './log-tries.ts'
import { isNextElsewhere } from './next-provider.ts'
import { type StatusPublisher, storedEvent } from './publish-status.ts'
import type { BuildEvent } from './status-of-try.ts'
import type { TryResult } from './try-result.ts'

export interface ConcluderPorts {
  readonly ledger: Pick<LeaseLedger, 'conclude' | 'lookUp'>
  readonly publisher: Pick<StatusPublisher, 'publish'>
  readonly policyOf: (record: MessageRecord) => RetryPolicy
  readonly buildEvent: BuildEvent
  readonly metrics: Pick<CourierMetrics, 'concluded' | 'lateFinish'>
  readonly tracing: Pick<CourierTracing, 'spansOf'>
  readonly log: Logger
}

export interface Concluder {
  readonly conclude: (delivery: Delivery, result: TryResult) => void
  readonly pending: () => number
  readonly drain: (deadlineMs: number) => Promise<void>
}

interface Item {
  readonly delivery: Delivery
  readonly result: TryResult
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
  /** Taken from `waiting` and not durable yet: being written, or resting before the next trial. */
  let underWay = 0
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
    underWay += batch.length
    lastBatch = batch.length
    write(batch)
      .catch((error) => {
        // PostgreSQL is away: what was sent stays in memory and still counts, as long as nobody takes it over.
        log.warn({ reason: messageOf(error), messages: batch.length }, 'conclusions not written, trying again')
        return batch
      })
      .then((left) => {
        underWay -= batch.length - left.length
        if (left.length > 0) setTimeout(tryAgain, RETRY_MS, left)
        next()
      })
  }

  function next(): void {
    busy = false
    if (waiting.length >= FULL) flush()
    else if (waiting.length > 0) timer ??= setTimeout(flush, waiting.length > 1 ? GATHER_MS : 0)
    else if (underWay === 0) for (const resolve of drained.splice(0)) resolve()
  }

  function tryAgain(items: readonly Item[]): void {
    underWay -= items.length
    waiting = items.concat(waiting)
    if (!busy) flush()
  }

  /** @returns what is not durable yet. */
  async function write(batch: readonly Item[]): Promise<Item[]> {
    const conclude = (items: readonly Item[]) => ledger.conclude(items.map(({ conclusion }) => conclusion))
    const rows = await inHalves(batch, conclude, log, ({ delivery }) => logFieldsOf(delivery))
    const written = new Map(rows.map((row) => [keyOf(row), row]))
    const missing = batch.filter(({ conclusion }) => !written.has(keyOf(conclusion)))
    const entries = missing.length === 0 ? [] : await ledger.lookUp(missing.map(({ conclusion }) => conclusion.id))
    const byMessage = new Map(entries.map((entry) => [entry.id, entry]))
    const left: Item[] = []
    for (const item of batch) {
      const row = written.get(keyOf(item.conclusion))
      const entry = byMessage.get(item.conclusion.id)
      if (row !== undefined) publish(item, row.outboxId)
      // Written by an earlier trial whose answer was lost; where it stands in the event outbox too, the sweep forgets it.
      else if (entry?.event === item.conclusion.event) publish(item, null)
      else if (entry !== undefined && isOurs(entry, item.conclusion)) left.push(item)
      else endLate(item)
    }
    return left
  }

  function publish({ delivery, result, event, spans }: Item, outboxId: number | null): void {
    delivery.stage = 'done'
    ports.metrics.concluded(event, delivery, result)
    logTry(event, log)
    publisher.publish(event, delivery, outboxId, spans?.end)
  }

  /** Someone else holds the message by now and will report it. */
  function endLate({ delivery, conclusion, spans }: Item): void {
    delivery.stage = 'done'
    ports.metrics.lateFinish()
    log.warn(
      { ...logFieldsOf(delivery), dispatch: conclusion.dispatch },
      'conclusion came after another courier took over',
    )
    completeOrigin(delivery)
    spans?.end()
  }

  return {
    conclude,
    pending: () => waiting.length + underWay,
    drain: async (deadlineMs) => {
      if (waiting.length + underWay === 0) return
      const done = new Promise<void>((resolve) => drained.push(resolve))
      await Promise.race([done, new Promise((resolve) => setTimeout(resolve, deadlineMs).unref())])
    },
  }
}

function keyOf({ id, dispatch }: { readonly id: string; readonly dispatch: number }): string {
  return `${id} ${dispatch}`
}

/** The row was refused, and nobody took the message over. */
function isOurs({ state, dispatch }: LedgerEntry, conclusion: Conclusion): boolean {
  return state === SENDING && dispatch === conclusion.dispatch
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
      isNextElsewhere: isNextElsewhere(delivery),
    },
    ports.policyOf(delivery.record),
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
  return { delivery, result, conclusion, event, spans }
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
