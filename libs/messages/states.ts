/** The states of a message, and the four that Ory's admin API knows. */
export const MESSAGE_STATES = [
  'queued',
  'deferred',
  'held',
  'sent',
  'delivered',
  'bounced',
  'complained',
  'abandoned',
  'expired',
  'suppressed',
  'superseded',
  'cancelled',
] as const
export type MessageState = (typeof MESSAGE_STATES)[number]
/** States that an event announces; `queued` is inferred from the message itself. */
export type EventState = Exclude<MessageState, 'queued'>
export type OryStatus = 'queued' | 'processing' | 'sent' | 'abandoned'

export const EVENT_STATES = MESSAGE_STATES.filter((state): state is EventState => state !== 'queued')

const ORY_STATUS: Record<MessageState, OryStatus> = {
  queued: 'queued',
  deferred: 'queued',
  held: 'processing',
  sent: 'sent',
  delivered: 'sent',
  bounced: 'sent',
  complained: 'sent',
  abandoned: 'abandoned',
  expired: 'abandoned',
  suppressed: 'abandoned',
  superseded: 'abandoned',
  cancelled: 'abandoned',
}

/** The status that Ory's admin API shows for a state. */
export function oryStatus(state: MessageState): OryStatus {
  return ORY_STATUS[state]
}

/** Nothing is sent any more after a terminal state; `delivered`, `bounced` and `complained` refine `sent`. */
export function isTerminal(state: MessageState): boolean {
  return state !== 'queued' && state !== 'deferred' && state !== 'held'
}
