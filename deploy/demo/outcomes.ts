/** What can become of a demo mail, and what the demo's mail server answers to make it so. */
export interface Answer {
  /** The command that is answered so; DOT is the end of a mail. */
  readonly at: 'RCPT' | 'DOT'
  /** A line without its end; CLOSE hangs up. */
  readonly line: string
  /** How often, for one recipient; after that the mail is taken. @default for ever */
  readonly times?: number
}

export type Outcome =
  | 'sent'
  | 'greylisted'
  | 'recovered'
  | 'deferred'
  | 'throttled'
  | 'mailbox_full'
  | 'unknown_user'
  | 'disabled_user'
  | 'policy'
  | 'too_large'
  | 'lost_reply'

/** undefined: the mail is taken. */
export const OUTCOMES: Readonly<Record<Outcome, Answer | undefined>> = {
  sent: undefined,
  greylisted: { at: 'RCPT', line: '451 4.7.1 Greylisted, please try again later', times: 1 },
  recovered: { at: 'DOT', line: '451 4.3.0 Queue file write error', times: 2 },
  deferred: { at: 'RCPT', line: '451 4.3.0 Local error in processing' },
  throttled: { at: 'RCPT', line: '450 4.7.28 Throttled: your sending rate is too high', times: 1 },
  mailbox_full: { at: 'RCPT', line: '452 4.2.2 Mailbox full' },
  unknown_user: { at: 'RCPT', line: '550 5.1.1 No such user' },
  disabled_user: { at: 'RCPT', line: '550 5.2.1 This mailbox is disabled' },
  policy: { at: 'DOT', line: '554 5.7.1 Message rejected by content policy' },
  too_large: { at: 'DOT', line: '552 5.3.4 Message too big for system' },
  lost_reply: { at: 'DOT', line: 'CLOSE' },
}
