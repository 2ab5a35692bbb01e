/** Messages that the ledger owns: claims what is due, when it is due, as far as there is room for it. */
import { messageOf } from '#libs/errors'
import { decodeMessage } from '#libs/messages'
import { type Logger, traceFields } from '#libs/telemetry'
import { applyClaim } from './claim-messages.ts'
import { type Delivery, newDelivery, parsePayload } from './delivery.ts'
import type { Dispatcher } from './dispatch-messages.ts'
import type { DueClaim, DueShares, LeaseLedger } from './lease-ledger.ts'

export interface RetryPorts {
  readonly ledger: Pick<LeaseLedger, 'claimDue' | 'claimExpired'>
  /** How much of it each channel may have. */
  readonly shares: () => DueShares
  readonly dispatcher: Pick<Dispatcher, 'room' | 'accept'>
  readonly leaseMs: number
  readonly log: Logger
}

const EXPIRED_BATCH = 200

/** @returns how many messages were claimed. */
export async function retryDue(ports: RetryPorts): Promise<number> {
  const room = ports.dispatcher.room()
  return room === 0 ? 0 : take(() => ports.ledger.claimDue(room, ports.shares()), ports)
}

/** Concludes what expired while it waited, also behind a channel that is blocked. @returns how many. */
export function concludeExpired(ports: RetryPorts): Promise<number> {
  return take(() => ports.ledger.claimExpired(EXPIRED_BATCH), ports)
}

async function take(claim: () => Promise<DueClaim[]>, { dispatcher, leaseMs, log }: RetryPorts): Promise<number> {
  const nowMs = Date.now()
  const claims = await claim()
  const deliveries: Delivery[] = []
  for (const claim of claims) {
    try {
      deliveries.push(deliveryOf(claim, nowMs, leaseMs))
    } catch (error) {
      const fields = { message_id: claim.id, ...traceFields(parsePayload(claim.payload ?? '').traceparent) }
      log.error({ ...fields, reason: messageOf(error) }, 'ledger row cannot be read: left to its lease')
    }
  }
  if (deliveries.length > 0) dispatcher.accept(deliveries)
  return claims.length
}

function deliveryOf(claim: DueClaim, nowMs: number, leaseMs: number): Delivery {
  const payload = parsePayload(claim.payload ?? '')
  const delivery = newDelivery(decodeMessage(payload.recordJson), payload, undefined)
  delivery.superseded = claim.superseded
  applyClaim(delivery, claim, nowMs, leaseMs)
  return delivery
}
