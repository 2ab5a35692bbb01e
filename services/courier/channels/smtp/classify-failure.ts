/**
 * Names the failure behind a signal. Pure; the first row that matches wins, so that the order below is the rule.
 * The three digits are trusted before the enhanced code where the two disagree (RFC 3463 2).
 */
import type { FailureClass } from '#libs/delivery'
import type { SmtpReply } from '#libs/smtp'
import type { SmtpCommand, SmtpSignal } from './smtp-signal.ts'

interface Answer {
  readonly code: number
  readonly enhanced: string
  readonly text: string
  readonly command: SmtpCommand
}

type Row = readonly [matches: (answer: Answer) => boolean, failureClass: FailureClass]

const NO_MAILBOX = new Set(['5.1.0', '5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.2.1', '5.4.4'])
const GREYLIST_CODES = new Set(['', '4.2.0', '4.7.0', '4.7.1'])
const GREYLIST = /gr[ae]y-?list/i
const COME_BACK = /try (again|later)|come back/i
const FULL = /mailbox.{0,20}full|over ?quota|quota exceeded/i
const TOO_BIG = /size|too (large|big)/i

/** Of Amazon SES and others: too much at a time, whatever was asked. */
const TOO_MUCH = /throttl|sending rate|too many (concurrent |simultaneous )?(smtp )?(connections|sessions)/i

const ROWS: readonly Row[] = [
  [({ code, text }) => code < 500 && TOO_MUCH.test(text), 'throttled'],
  [({ code, command }) => command === 'AUTH' && code !== 421, 'auth'],
  [({ code, enhanced }) => [530, 534, 535].includes(code) || enhanced === '5.7.8', 'auth'],
  [({ code, command }) => command === 'STARTTLS' && code !== 421, 'tls'],
  [({ enhanced }) => enhanced === '5.7.10' || enhanced === '5.7.11', 'tls'],
  // Before MAIL no message has been named: whatever the server refuses, also for now, it refuses us.
  [({ command }) => ['CONNECT', 'EHLO', 'STARTTLS', 'AUTH'].includes(command), 'channel_refused'],
  [({ code }) => code === 421, 'transient_remote'],
  [isGreylisting, 'greylisted'],
  [isThrottling, 'throttled'],
  [isMailboxFull, 'mailbox_full'],
  [({ code }) => code < 500, 'transient_remote'],
  [isUnknownMailbox, 'permanent_recipient'],
  [isContentPolicy, 'permanent_content'],
  [isTooLarge, 'permanent_content'],
  [({ code, enhanced }) => (code === 550 || code === 553) && enhanced === '5.6.7', 'permanent_recipient'],
  [({ code }) => [500, 501, 503, 555].includes(code), 'protocol'],
]

export function classifyFailure(signal: SmtpSignal): FailureClass {
  switch (signal.kind) {
    case 'expired':
      return 'expired'
    case 'auth_not_offered':
      return 'auth'
    case 'tls':
      return 'tls'
    case 'compose':
      return 'render'
    case 'closing':
    // An operator's mistake: the mail waits until it is mended.
    case 'address_refused':
      return 'network'
    case 'recipient_invalid':
    case 'smtputf8_missing':
      return 'permanent_recipient'
    case 'too_large':
      return 'permanent_content'
    case 'lost':
      return LOST[signal.progress]
    case 'reply':
      return classifyReply(signal.reply, signal.command)
  }
}

/** A connection that breaks inside the body may have broken over that very body: only this one is charged to the message. */
const LOST = { before_data: 'network', in_body: 'transient_remote', after_dot: 'ambiguous' } as const

function classifyReply(reply: SmtpReply, command: SmtpCommand): FailureClass {
  const answer = { code: reply.code, enhanced: reply.enhanced ?? '', text: reply.lines.join(' '), command }
  // An answer that fits no question, such as 250 to DATA: the server is out of step.
  if (answer.code < 400) return 'protocol'
  return ROWS.find(([matches]) => matches(answer))?.[1] ?? 'permanent_remote'
}

function isGreylisting({ code, enhanced, text }: Answer): boolean {
  if (code !== 450 && code !== 451) return false
  return GREYLIST.test(text) || (GREYLIST_CODES.has(enhanced) && COME_BACK.test(text))
}

function isThrottling({ code, enhanced }: Answer): boolean {
  if (code >= 500) return false
  return code === 432 || enhanced === '4.3.2' || enhanced === '4.7.28'
}

function isMailboxFull({ code, enhanced, text }: Answer): boolean {
  return (
    (code === 452 && (enhanced === '4.2.2' || FULL.test(text))) ||
    (code === 552 && (enhanced === '5.2.2' || FULL.test(text)))
  )
}

/** Servers that give no enhanced code say 550, 551 or 553 to RCPT for an unknown mailbox (RFC 5321 4.2.3). */
function isUnknownMailbox({ code, enhanced, command }: Answer): boolean {
  return command === 'RCPT' && [550, 551, 553].includes(code) && (enhanced === '' || NO_MAILBOX.has(enhanced))
}

function isContentPolicy({ code, enhanced, text, command }: Answer): boolean {
  if ((command !== 'DATA' && command !== 'DOT') || (code !== 550 && code !== 554)) return false
  return /^5\.[67]\./.test(enhanced) || /spam|policy/i.test(text)
}

function isTooLarge({ code, enhanced, text }: Answer): boolean {
  return code === 552 && (enhanced === '5.3.4' || TOO_BIG.test(text))
}
