export interface Topics {
  /** Urgent messages. */
  readonly messages: string
  readonly notices: string
  /** Public contract: delivery-status facts. */
  readonly status: string
  /** What could not be decoded or processed, as the original bytes with a reason. */
  readonly deadLetter: string
}

/** @param prefix keeps deployments (and tests) on one cluster apart; '' in production. */
export function topics(prefix: string): Topics {
  return {
    messages: `${prefix}courier.messages.v1`,
    notices: `${prefix}courier.notices.v1`,
    status: `${prefix}courier.delivery-status.v1`,
    deadLetter: `${prefix}courier.dead-letter.v1`,
  }
}
