/** The port of every way out: takes one mail, and says once what became of it. */
import type { DeliveryFailure, Outcome } from '#libs/delivery'
import type { ChannelId, SealedContent } from '#libs/messages'

export interface OutgoingMail {
  readonly messageId: string
  readonly projectId: string
  readonly messageType: ChannelId
  readonly templateType: string
  /** As the message brought it: what a body template of a project's own is made from. */
  readonly templateData: SealedContent['template_data']
  /** Of the request that the user made, as far as they are kept. */
  readonly requestHeaders: NonNullable<SealedContent['request_headers']>
  /** Tries so far, this one included. */
  readonly dispatch: number
  readonly recipient: string
  readonly subject: string
  readonly text: string
  readonly html?: string
  /** Stands in the place of the sender's name that the channel has. */
  readonly fromName?: string
  readonly date: Date
  /** Epoch ms: the try has ended by then, whatever the peer does. */
  readonly deadline: number
}

export interface AttemptReply {
  readonly code: number
  readonly enhanced?: string
  /** The command that was answered. */
  readonly command: string
  /** As the peer said it. May name the recipient: only for sealed places. */
  readonly text: string
}

export interface AttemptPeer {
  readonly host: string
  readonly port: number
  /** The IP address behind the host, once connected. */
  readonly address?: string
  /** TLS version, where the connection has TLS. */
  readonly tls?: string
}

/**
 * Where the time of a try went, in ms, one after the other: together at most `connectMs` and `sendMs`. A phase that did not take place is
 * missing; the one in which a try ended goes as far as that.
 */
export interface AttemptPhases {
  /** Looking up the host; not where the configuration names an address. */
  readonly dns?: number
  /** Opening the connection. */
  readonly tcp?: number
  /** The TLS handshake, from the start or after STARTTLS. */
  readonly tls?: number
  /** All else that is said before the first mail: greeting, EHLO, STARTTLS, AUTH. */
  readonly auth?: number
  /** MAIL and RCPT, to the reply to RCPT. */
  readonly mail?: number
  /** DATA and the content, until its final dot has left. */
  readonly data?: number
  /** From the final dot to its reply. */
  readonly dot?: number
  /** HTTP: until the head of the answer came. */
  readonly request?: number
  /** HTTP: the rest of the answer. */
  readonly response?: number
}

export interface AttemptResult {
  readonly outcome: Outcome
  /** Set unless accepted. */
  readonly failure?: DeliveryFailure | undefined
  readonly reply?: AttemptReply
  /** What the provider calls the mail, where its reply told. */
  readonly providerMessageId?: string
  readonly peer?: AttemptPeer
  /** Of the request, where the way out is HTTP. */
  readonly method?: string
  /** Whether the connection had been open before. */
  readonly reused: boolean
  /** Epoch ms with a fraction. */
  readonly startedAt: number
  /** Of a connection opened for this mail, and of the dialogue, in ms. */
  readonly timings: { readonly connectMs?: number; readonly sendMs: number; readonly phases?: AttemptPhases }
  /** The lines of a failed dialogue, without secrets and without the mail. Names the recipient: only for sealed places. */
  readonly conversation?: readonly string[]
}

export interface Channel {
  /** Mails that may be given now. */
  readonly free: number
  /**
   * Sends one mail and calls `done` exactly once, never before `send` has returned. No promise per mail: this is the hot path.
   * `stillWanted` is asked right before the mail is announced; false ends the try as expired, with nothing sent.
   * @throws when no place is free: the caller has to look first
   */
  readonly send: (mail: OutgoingMail, done: (attempt: AttemptResult) => void, stillWanted?: () => boolean) => void
  /** Connections that are open now, where the way out keeps any. */
  readonly connections?: () => { readonly idle: number; readonly busy: number }
  /** Calls back whenever a place comes free after there was none. */
  readonly onFree: (callback: () => void) => void
  /**
   * Takes no more, lets what is under way end, and leaves the peer politely. May be called again with less patience.
   * @param patienceMs what takes longer may be cut off
   */
  readonly close: (patienceMs?: number) => Promise<void>
}
