/**
 * No offset waits longer than a few seconds: a message that is still under way then is handed to the ledger, payload and all,
 * and its offset completes. So one slow provider or one long outage never holds a partition's commit back.
 */
import { completeOrigin, type Delivery, payloadOf } from './delivery.ts'
import type { LeaseLedger } from './lease-ledger.ts'
import type { RecordStream } from './record-stream.ts'

/** Age at which a message is handed over, so that none reaches 5 s. */
export const HAND_OVER_AFTER_MS = 4_000
const BATCH = 200

/** Hands over the oldest messages of `stream` that are past the age. @returns how many. */
export async function handOverOld(stream: RecordStream, ledger: LeaseLedger, nowMs: number): Promise<number> {
  return handOver(oldest(stream, nowMs - HAND_OVER_AFTER_MS), ledger)
}

function oldest(stream: RecordStream, receivedBeforeMs: number): Delivery[] {
  const old: Delivery[] = []
  for (const delivery of stream.open) {
    if (delivery.receivedAtMs > receivedBeforeMs || old.length === BATCH) break
    // A claim under way decides for itself; the next round sees it again.
    if (delivery.stage !== 'claiming' && delivery.stage !== 'done') old.push(delivery)
  }
  return old
}

/** @param dueAt when a message that waits may be tried; at once where left out. */
export async function handOver(deliveries: readonly Delivery[], ledger: LeaseLedger, dueAt?: Date): Promise<number> {
  if (deliveries.length === 0) return 0
  const items = deliveries.map((delivery) => ({
    id: delivery.record.id,
    projectId: delivery.record.project_id,
    expiresAt: new Date(delivery.expiresAtMs),
    payload: payloadOf(delivery),
    ...(dueAt === undefined ? {} : { dueAt }),
  }))
  const owned = new Set(await ledger.handOver(items))
  for (const delivery of deliveries) {
    if (!owned.has(delivery.record.id)) continue
    delivery.handedOver = true
    // One that only waited goes on from the ledger; one that is being sent is concluded by whoever sends it.
    if (delivery.stage === 'waiting') delivery.stage = 'done'
    completeOrigin(delivery)
  }
  return owned.size
}
