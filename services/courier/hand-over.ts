/**
 * No offset waits longer than a few seconds: a message that is still under way then is handed to the ledger, payload and all,
 * and its offset completes. So one slow provider or one long outage never holds a partition's commit back.
 */
import type { Logger } from '#libs/telemetry'
import type { CourierTracing } from './courier-tracing.ts'
import { completeOrigin, type Delivery, isHeldHere, logFieldsOf, payloadOf } from './delivery.ts'
import { inHalves } from './in-halves.ts'
import type { LeaseLedger } from './lease-ledger.ts'
import type { RecordStream } from './record-stream.ts'
import { type SettlePorts, settleKnown } from './settle-known.ts'

export interface HandOverPorts extends SettlePorts {
  readonly ledger: Pick<LeaseLedger, 'handOver' | 'release' | 'lookUp'>
  readonly tracing?: Pick<CourierTracing, 'handedOver'>
  readonly log: Logger
}

/** Age at which a message is handed over, so that none reaches 5 s. */
export const HAND_OVER_AFTER_MS = 4_000
const BATCH = 200

/** Hands over the messages of `stream` that are past the age, oldest first. @returns how many are off its hands. */
export async function handOverOld(
  stream: Pick<RecordStream, 'open'>,
  ports: HandOverPorts,
  nowMs: number,
): Promise<number> {
  for (let total = 0; ; ) {
    const old = oldest(stream, nowMs - HAND_OVER_AFTER_MS)
    const owned = await handOver(old, ports)
    total += owned
    // Those that stay are being concluded, or were refused: the next round sees them again.
    if (old.length < BATCH || owned === 0) return total
  }
}

function oldest(stream: Pick<RecordStream, 'open'>, receivedBeforeMs: number): Delivery[] {
  const old: Delivery[] = []
  for (const delivery of stream.open) {
    if (delivery.receivedAtMs > receivedBeforeMs || old.length === BATCH) break
    // A claim under way decides for itself; the next round sees it again.
    if (delivery.stage !== 'claiming' && delivery.stage !== 'done') old.push(delivery)
  }
  return old
}

/**
 * Hands over what one channel has waiting beyond its share of the window, while others wait too: a channel that stands still
 * must not keep the rest from coming in. @returns how many.
 */
export async function handOverCrowd(
  stream: Pick<RecordStream, 'open'>,
  ports: HandOverPorts,
  { most, keyOf }: { readonly most: number; readonly keyOf: (delivery: Delivery) => string },
): Promise<number> {
  const waiting = Map.groupBy(
    [...stream.open].filter(({ stage }) => stage === 'waiting'),
    keyOf,
  )
  if (waiting.size < 2) return 0
  const crowd = [...waiting.values()].flatMap((deliveries) => deliveries.slice(most)).slice(0, BATCH)
  return handOver(crowd, ports)
}

/** @returns how many the ledger owns or has at their end; the others are being concluded here, or their rows were refused. */
export async function handOver(deliveries: readonly Delivery[], ports: HandOverPorts): Promise<number> {
  if (deliveries.length === 0) return 0
  const { ledger, log } = ports
  await releaseUnanswered(deliveries, ports)
  const write = (items: readonly Delivery[]) => ledger.handOver(items.map(handOverItem))
  const owned = new Set(await inHalves(deliveries, write, log, logFieldsOf))
  let count = 0
  for (const delivery of deliveries) {
    if (!owned.has(delivery.record.id)) continue
    if (!delivery.handedOver) ports.tracing?.handedOver([delivery])
    count += 1
    delivery.handedOver = true
    // One that only waited goes on from the ledger; one that is being sent is concluded by whoever sends it.
    if (delivery.stage === 'waiting') delivery.stage = 'done'
    completeOrigin(delivery)
  }
  return count === deliveries.length ? count : count + (await settleEnded(deliveries, ports))
}

/** What an operator cancelled meanwhile, or another courier concluded, must not keep its offset open. @returns how many */
async function settleEnded(deliveries: readonly Delivery[], ports: HandOverPorts): Promise<number> {
  const waiting = deliveries.filter(({ stage }) => stage === 'waiting')
  if (waiting.length === 0) return 0
  // Nobody may claim them meanwhile.
  for (const delivery of waiting) delivery.stage = 'claiming'
  try {
    return waiting.length - (await settleKnown(waiting, ports)).length
  } finally {
    for (const delivery of waiting) if (delivery.stage === 'claiming') delivery.stage = 'waiting'
  }
}

/** What the ledger may hold for this courier without its knowledge would otherwise wait for the end of that lease. */
async function releaseUnanswered(deliveries: readonly Delivery[], { ledger }: HandOverPorts): Promise<void> {
  const unanswered = deliveries.filter(
    (delivery) => delivery.unanswered && delivery.stage === 'waiting' && !isHeldHere(delivery),
  )
  if (unanswered.length === 0) return
  // Nobody may claim them meanwhile: that claim would be released as well.
  for (const delivery of unanswered) delivery.stage = 'claiming'
  try {
    const items = unanswered.map((delivery) => ({
      id: delivery.record.id,
      dispatch: null,
      payload: payloadOf(delivery),
    }))
    await ledger.release(items, 0)
    for (const delivery of unanswered) delivery.unanswered = false
  } finally {
    for (const delivery of unanswered) delivery.stage = 'waiting'
  }
}

function handOverItem(delivery: Delivery) {
  const { id, project_id: projectId, channel, lane } = delivery.record
  const { expiresAtMs, supersedeKey } = delivery
  return { id, projectId, channel, lane, expiresAt: new Date(expiresAtMs), supersedeKey, payload: payloadOf(delivery) }
}
