import { completeOrigin, type Delivery } from './delivery.ts'
import type { LeaseLedger } from './lease-ledger.ts'
import { DONE } from './ledger-state.ts'
import type { StatusPublisher } from './publish-status.ts'

export interface SettlePorts {
  readonly ledger: Pick<LeaseLedger, 'lookUp'>
  readonly publisher: Pick<StatusPublisher, 'republish'>
  /** Told of each message that came again and is not sent again. */
  readonly onDuplicate?: () => void
}

/**
 * Settles what the ledger has an answer for: concluded elsewhere, cancelled by an operator, or handed over. Only for messages that
 * nobody here is sending. @returns the others: another courier holds them, or nobody does
 */
export async function settleKnown(
  deliveries: readonly Delivery[],
  { ledger, publisher, onDuplicate }: SettlePorts,
): Promise<Delivery[]> {
  const found = await ledger.lookUp(deliveries.map(({ record }) => record.id))
  const entries = new Map(found.map((entry) => [entry.id, entry]))
  const held: Delivery[] = []
  for (const delivery of deliveries) {
    const entry = entries.get(delivery.record.id)
    delivery.stage = 'waiting'
    if (entry === undefined || (entry.state !== DONE && !entry.handedOver)) {
      held.push(delivery)
      continue
    }
    delivery.stage = 'done'
    onDuplicate?.()
    if (entry.handedOver || entry.event === null) completeOrigin(delivery)
    // Concluded by a courier that may have stopped before it published: the row republishes the very same event.
    else publisher.republish(entry.event, delivery)
  }
  return held
}
