/** Claims what the intake holds: one statement per batch. What cannot be claimed is looked up once and settled. */
import type { Logger } from '#libs/telemetry'
import { completeOrigin, type Delivery } from './delivery.ts'
import { handOver } from './hand-over.ts'
import type { Claimed, LeaseLedger } from './lease-ledger.ts'
import { DONE } from './ledger-state.ts'
import type { StatusPublisher } from './publish-status.ts'

export interface ClaimPorts {
  readonly ledger: LeaseLedger
  readonly publisher: StatusPublisher
  readonly leaseMs: number
  readonly log: Logger
}

/** @returns the deliveries that are this courier's to send. Every other one is settled: done, or handed to the ledger. */
export async function claimMessages(deliveries: readonly Delivery[], ports: ClaimPorts): Promise<Delivery[]> {
  const claimed = await ports.ledger.claim(
    deliveries.map(({ record, expiresAtMs }) => ({
      id: record.id,
      projectId: record.project_id,
      expiresAt: new Date(expiresAtMs),
    })),
  )
  const nowMs = Date.now()
  const byId = new Map(claimed.map((claim) => [claim.id, claim]))
  const won: Delivery[] = []
  const lost: Delivery[] = []
  for (const delivery of deliveries) {
    const claim = byId.get(delivery.record.id)
    if (claim === undefined) {
      lost.push(delivery)
      continue
    }
    // The same record twice in one batch: the first one has the claim.
    byId.delete(delivery.record.id)
    applyClaim(delivery, claim, nowMs, ports.leaseMs)
    won.push(delivery)
  }
  if (lost.length > 0) await settleLost(lost, ports)
  return won
}

export function applyClaim(delivery: Delivery, claim: Claimed, nowMs: number, leaseMs: number): void {
  delivery.dispatch = claim.dispatch
  delivery.charged = claim.charged
  delivery.unknowns = claim.unknowns
  delivery.reclaims = claim.reclaims
  delivery.claimedAtMs = nowMs
  delivery.leaseUntilMs = nowMs + leaseMs
  delivery.stage = 'ready'
}

async function settleLost(lost: readonly Delivery[], { ledger, publisher }: ClaimPorts): Promise<void> {
  const entries = new Map((await ledger.lookUp(lost.map(({ record }) => record.id))).map((entry) => [entry.id, entry]))
  const held: Delivery[] = []
  for (const delivery of lost) {
    const entry = entries.get(delivery.record.id)
    delivery.stage = 'done'
    if (entry === undefined || (entry.state !== DONE && !entry.handedOver)) {
      held.push(delivery)
    } else if (entry.handedOver || entry.event === null) {
      completeOrigin(delivery)
    } else {
      // Concluded by a courier that may have stopped before it published: the row republishes the very same event.
      publisher.republish(entry.event, delivery)
    }
  }
  await handOver(held, ledger)
}
