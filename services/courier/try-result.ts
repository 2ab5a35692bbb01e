import type { DeliveryFailure, FailureClass } from '#libs/delivery'
import type { AttemptResult } from './channels/channel.ts'

/** How one dispatch ended: with an attempt on the wire, or with a failure before anything left. */
export interface TryResult {
  readonly attempt: AttemptResult | undefined
  readonly failure: DeliveryFailure | undefined
  readonly subject: string | undefined
  /** The recipient's domain and the time that rendering took, where it came that far. */
  readonly domain: string | undefined
  readonly renderMs: number | undefined
}

export function failedBeforeSend(failureClass: FailureClass, message: string, domain?: string): TryResult {
  return {
    attempt: undefined,
    failure: { class: failureClass, message },
    subject: undefined,
    domain,
    renderMs: undefined,
  }
}
