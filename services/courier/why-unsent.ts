/** Messages that end, or are held, without a try: how that is told. */
import type { Delivery } from './delivery.ts'
import { failedBeforeSend, type TryResult } from './try-result.ts'

/** What no try can help any more; undefined for a message that may be tried. */
export function endBeforeTry({ expiresAtMs, superseded }: Delivery, nowMs: number): TryResult | undefined {
  if (nowMs >= expiresAtMs) return failedBeforeSend('expired', 'its lifetime ended before it could be sent')
  if (superseded) return failedBeforeSend('superseded', 'a newer message of this kind took its place')
  return undefined
}

export function noChannel({ record }: Delivery): TryResult {
  return failedBeforeSend('config', `no channel is configured for ${record.channel}: add it to courier.channels`)
}

export function stoppedTooOften(couriers: number): TryResult {
  const problem = `${couriers} couriers stopped while they held it`
  return failedBeforeSend('ambiguous', `${problem}: look at the couriers' last log lines, then retry or cancel it`)
}

export function stoppedMeanwhile(): TryResult {
  const problem = 'its courier stopped while it held it, so a copy may have been sent'
  return failedBeforeSend('ambiguous', `${problem}: retry or cancel it`)
}
