/** What a configuration says of tries: how many, when, and what follows where a copy may have been sent. */
import { parseDuration } from '#libs/config'
import type { RetryPolicy } from '#libs/delivery'
import type { DeliverySettings } from './open-channels.ts'

/** Made once for each configuration: every try asks. */
export interface RetryPolicies {
  readonly resending: RetryPolicy
  readonly holding: RetryPolicy
  /** By template type, where it is not `resend`. */
  readonly onUnknown: DeliverySettings['postrider']['courier']['on_unknown']
}

export function retryPoliciesOf({ courier, postrider }: DeliverySettings): RetryPolicies {
  const resending: RetryPolicy = {
    maxAttempts: Math.max(0, courier.message_retries) + 1,
    scheduleMs: postrider.courier.retry_schedule.split(',').map((delay) => parseDuration(delay.trim())),
    onUnknown: 'resend',
  }
  return { resending, holding: { ...resending, onUnknown: 'hold' }, onUnknown: postrider.courier.on_unknown }
}

export function policyFor({ resending, holding, onUnknown }: RetryPolicies, templateType: string): RetryPolicy {
  return onUnknown[templateType] === 'hold' ? holding : resending
}
