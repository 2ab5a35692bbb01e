import type { FailureClass } from '#libs/delivery'

/** A record, so that a class that is new to the couriers is missed here by the compiler. */
const KNOWN: Record<FailureClass, true> = {
  expired: true,
  auth: true,
  tls: true,
  config: true,
  render: true,
  network: true,
  ambiguous: true,
  transient_remote: true,
  greylisted: true,
  throttled: true,
  mailbox_full: true,
  permanent_recipient: true,
  permanent_content: true,
  protocol: true,
  channel_refused: true,
  permanent_remote: true,
  cancelled: true,
  superseded: true,
}

/** What `class` of a message can be. */
export const FAILURE_CLASSES: readonly string[] = Object.keys(KNOWN)
