/** Messages that the ledger owns: claims what is due, when it is due, as far as there is room for it. */
import { decodeMessage } from '#libs/messages'
import { applyClaim } from './claim-messages.ts'
import { type Delivery, newDelivery, parsePayload } from './delivery.ts'
import type { Dispatcher } from './dispatch-messages.ts'
import type { DueClaim, LeaseLedger } from './lease-ledger.ts'

/** @returns how many messages were claimed. */
export async function retryDue(ledger: LeaseLedger, dispatcher: Dispatcher, leaseMs: number): Promise<number> {
  const room = dispatcher.room()
  if (room === 0) return 0
  const claims = await ledger.claimDue(room)
  if (claims.length > 0) dispatcher.accept(claims.map((claim) => deliveryOf(claim, leaseMs)))
  return claims.length
}

function deliveryOf(claim: DueClaim, leaseMs: number): Delivery {
  const payload = parsePayload(claim.payload)
  const delivery = newDelivery(decodeMessage(payload.recordJson), payload, undefined)
  applyClaim(delivery, claim, Date.now(), leaseMs)
  return delivery
}
