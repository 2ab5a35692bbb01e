/** Why an attempt failed. Closed set: metrics, events and decisions branch on it. */
export type FailureClass =
  | 'expired'
  | 'auth'
  | 'tls'
  | 'config'
  | 'render'
  | 'network'
  | 'ambiguous'
  | 'transient_remote'
  | 'greylisted'
  | 'throttled'
  | 'mailbox_full'
  | 'permanent_recipient'
  | 'permanent_content'
  | 'protocol'
  | 'channel_refused'
  | 'permanent_remote'
  | 'cancelled'
  | 'superseded'

export interface DeliveryFailure {
  readonly class: FailureClass
  /** What went wrong and what to change, free of addresses, codes and credentials. */
  readonly message: string
  readonly replyCode?: number
  readonly enhancedCode?: string
  /** The command that was answered or cut: CONNECT, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, DOT; HTTP for a request. */
  readonly command?: string
  /** How long the peer asked us to wait. */
  readonly retryAfterMs?: number
}

/** What one try brought. `unknown`: the whole mail left, no answer came, a copy may have arrived. */
export type Outcome = 'accepted' | 'failed' | 'unknown'

interface Treatment {
  /** Never sent again: no later attempt can differ. */
  readonly permanent: boolean
  /** Counts against the message's retry budget; what is not the message's fault does not. */
  readonly charged: boolean
  /** Least delay before the next attempt, in ms; the schedule's delay where larger. */
  readonly leastDelayMs: number
}

const MINUTE = 60_000
const RETRY = { permanent: false, charged: true, leastDelayMs: 0 }
const CHANNEL = { permanent: false, charged: false, leastDelayMs: 0 }
const FINAL = { permanent: true, charged: true, leastDelayMs: 0 }

const TREATMENTS: Record<FailureClass, Treatment> = {
  expired: FINAL,
  auth: CHANNEL,
  tls: CHANNEL,
  config: FINAL,
  render: FINAL,
  network: CHANNEL,
  ambiguous: RETRY,
  transient_remote: RETRY,
  // Most greylists wait 5 minutes and forget who came too early.
  greylisted: { permanent: false, charged: true, leastDelayMs: 5 * MINUTE },
  throttled: CHANNEL,
  mailbox_full: { permanent: false, charged: true, leastDelayMs: 15 * MINUTE },
  permanent_recipient: FINAL,
  permanent_content: FINAL,
  protocol: FINAL,
  channel_refused: CHANNEL,
  permanent_remote: FINAL,
  cancelled: FINAL,
  superseded: FINAL,
}

/** All that there are. */
export const FAILURE_CLASSES = Object.keys(TREATMENTS) as readonly FailureClass[]

export function treatmentOf(failureClass: FailureClass): Treatment {
  return TREATMENTS[failureClass]
}
