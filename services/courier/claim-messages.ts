/** Claims what the intake holds: one statement per batch. What cannot be claimed is looked up once and settled. */
import { messageOf } from '#libs/errors'
import type { Logger } from '#libs/telemetry'
import { type Delivery, isHeldHere, logFieldsOf } from './delivery.ts'
import { handOver } from './hand-over.ts'
import { inHalves } from './in-halves.ts'
import type { Intake } from './intake.ts'
import type { Claimed, LeaseLedger } from './lease-ledger.ts'
import type { StatusPublisher } from './publish-status.ts'
import { settleKnown } from './settle-known.ts'

export interface ClaimPorts {
  readonly ledger: LeaseLedger
  readonly publisher: StatusPublisher
  readonly intake: Pick<Intake, 'giveBack'>
  readonly leaseMs: number
  readonly log: Logger
  readonly onDuplicate?: () => void
}

/**
 * @returns the deliveries that are this courier's to send. Every other one is settled: done, or handed to the ledger; where the
 * ledger went away meanwhile, it is back in the intake.
 * @throws when the ledger is away; then some may be claimed all the same, and are marked so.
 */
export async function claimMessages(deliveries: readonly Delivery[], ports: ClaimPorts): Promise<Delivery[]> {
  // The ledger counts the lease from a moment after this one, so that it never ends before this courier thinks.
  const nowMs = Date.now()
  const claims = await claimFree(deliveries, ports)
  const byId = new Map(claims.map((claim) => [claim.id, claim]))
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

async function claimFree(deliveries: readonly Delivery[], { ledger, log }: ClaimPorts): Promise<Claimed[]> {
  const free = deliveries.filter((delivery) => !delivery.unanswered || !isHeldHere(delivery))
  const unanswered = free.filter((delivery) => delivery.unanswered).map(({ record }) => record.id)
  try {
    return await inHalves(free, (items) => ledger.claim(items.map(newClaim), unanswered), log, logFieldsOf)
  } catch (error) {
    for (const delivery of free) delivery.unanswered = true
    throw error
  }
}

function newClaim({ record, expiresAtMs, supersedeKey }: Delivery) {
  const { id, project_id: projectId, channel, lane } = record
  return { id, projectId, channel, lane, expiresAt: new Date(expiresAtMs), supersedeKey }
}

/** @param nowMs taken before the claim was sent. */
export function applyClaim(delivery: Delivery, claim: Claimed, nowMs: number, leaseMs: number): void {
  delivery.dispatch = claim.dispatch
  delivery.charged = claim.charged
  delivery.unknowns = claim.unknowns
  delivery.reclaims = claim.reclaims
  delivery.claimedAtMs = Date.now()
  delivery.leaseUntilMs = nowMs + leaseMs
  delivery.unanswered = false
  delivery.stage = 'ready'
}

/** Never throws: what was won in the same batch must not wait for what was lost. */
async function settleLost(lost: readonly Delivery[], ports: ClaimPorts): Promise<void> {
  try {
    const held = await settleKnown(lost, ports)
    await handOver(held, ports)
  } catch (error) {
    ports.log.warn({ reason: messageOf(error), messages: lost.length }, 'lost claims not settled, trying again')
    ports.intake.giveBack(lost.filter(({ stage }) => stage !== 'done'))
  }
}
