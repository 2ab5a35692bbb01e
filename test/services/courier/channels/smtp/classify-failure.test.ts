import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FailureClass } from '#libs/delivery'
import { openReplyReader } from '#libs/smtp'
import { classifyFailure } from '../../../../../services/courier/channels/smtp/classify-failure.ts'
import type { SmtpCommand, SmtpSignal } from '../../../../../services/courier/channels/smtp/smtp-signal.ts'

const REPLIES: readonly (readonly [command: SmtpCommand, reply: string, failureClass: FailureClass])[] = [
  ['AUTH', '535 5.7.8 Error: authentication failed', 'auth'],
  ['AUTH', '534 5.7.9 Mechanism is too weak', 'auth'],
  ['AUTH', '454 4.7.0 Temporary authentication failure', 'auth'],
  ['MAIL', '530 5.7.0 Authentication required', 'auth'],
  ['RCPT', '550 5.7.8 Log in first', 'auth'],
  ['STARTTLS', '454 4.7.0 TLS not available', 'tls'],
  ['STARTTLS', '502 5.5.1 Not here', 'tls'],
  ['MAIL', '550 5.7.10 Encryption needed', 'tls'],
  ['RCPT', '450 5.7.11 Encryption too weak', 'tls'],
  // No message has been named yet, so that none is charged.
  ['CONNECT', '421 4.3.2 Shutting down', 'channel_refused'],
  ['CONNECT', '454 Not now', 'channel_refused'],
  ['EHLO', '451 4.3.0 Local trouble', 'channel_refused'],
  ['AUTH', '421 4.7.0 Closing', 'channel_refused'],
  ['STARTTLS', '421 Closing', 'channel_refused'],
  ['CONNECT', '421 Too many concurrent SMTP connections', 'throttled'],
  ['AUTH', '454 Throttling failure: Maximum sending rate exceeded', 'throttled'],
  ['DOT', '454 Throttling failure: Daily message quota exceeded', 'throttled'],
  ['MAIL', '421 Connection closed by server. Maximum message count per session reached', 'transient_remote'],
  ['MAIL', '421 4.7.0 Try again later', 'transient_remote'],
  ['DOT', '421 Closing', 'transient_remote'],
  ['RCPT', '450 4.2.0 Greylisted, see http://postgrey.example', 'greylisted'],
  ['RCPT', '451 4.7.1 Graylisting in action, come back in 00:04:59', 'greylisted'],
  ['RCPT', '451 4.7.1 Please try again in 300 seconds', 'greylisted'],
  ['RCPT', '450 Please try again later', 'greylisted'],
  ['MAIL', '454 Throttling failure: Maximum sending rate exceeded.', 'throttled'],
  ['DOT', '450 4.7.28 Unusual rate', 'throttled'],
  ['MAIL', '432 4.3.2 Concurrent connections limit exceeded', 'throttled'],
  ['MAIL', '451 4.3.2 System not accepting messages', 'throttled'],
  ['RCPT', '452 4.2.2 Mailbox full', 'mailbox_full'],
  ['RCPT', '552 5.2.2 Over quota', 'mailbox_full'],
  ['RCPT', '552 The mailbox is full', 'mailbox_full'],
  ['MAIL', '452 4.3.1 Insufficient storage', 'transient_remote'],
  ['RCPT', '451 4.3.0 Local trouble, try again', 'transient_remote'],
  ['RCPT', '550 5.1.1 User unknown', 'permanent_recipient'],
  ['RCPT', '550 No such user', 'permanent_recipient'],
  ['RCPT', '551 5.1.6 Moved', 'permanent_recipient'],
  ['RCPT', '553 5.1.3 Bad address', 'permanent_recipient'],
  ['RCPT', '550 5.1.10 Null MX', 'permanent_recipient'],
  ['RCPT', '550 5.2.1 Mailbox disabled', 'permanent_recipient'],
  ['RCPT', '550 5.4.4 No route', 'permanent_recipient'],
  ['DOT', '550 5.7.1 Refused', 'permanent_content'],
  ['DOT', '554 5.6.0 Malformed', 'permanent_content'],
  ['DATA', '554 Looks like spam', 'permanent_content'],
  ['DOT', '550 Against our policy', 'permanent_content'],
  ['MAIL', '552 5.3.4 Too big', 'permanent_content'],
  ['DOT', '552 Message size exceeds the limit', 'permanent_content'],
  ['MAIL', '553 5.6.7 No such characters', 'permanent_recipient'],
  ['RCPT', '550 5.6.7 No such characters', 'permanent_recipient'],
  ['RCPT', '501 5.1.3 Bad syntax', 'protocol'],
  ['MAIL', '555 Parameters not recognized', 'protocol'],
  ['DATA', '503 5.5.1 Bad sequence', 'protocol'],
  ['MAIL', '500 What?', 'protocol'],
  ['CONNECT', '554 5.7.1 Go away', 'channel_refused'],
  ['EHLO', '550 Bad name', 'channel_refused'],
  ['RCPT', '550 5.7.1 Relaying denied', 'permanent_remote'],
  ['MAIL', '550 5.7.1 Sender not allowed', 'permanent_remote'],
  ['RCPT', '571 Never', 'permanent_remote'],
  ['DATA', '250 Ok', 'protocol'],
  // The digits are trusted before the enhanced code.
  ['RCPT', '450 5.1.1 Not now', 'transient_remote'],
]

const OTHERS: readonly (readonly [SmtpSignal, FailureClass])[] = [
  [{ kind: 'expired' }, 'expired'],
  [{ kind: 'auth_not_offered', offered: [] }, 'auth'],
  [{ kind: 'tls', code: 'CERT_HAS_EXPIRED', security: 'tls', host: 'h', expected: 'h' }, 'tls'],
  [{ kind: 'address_refused', problem: 'x' }, 'network'],
  [{ kind: 'compose', problem: 'x' }, 'render'],
  [{ kind: 'closing' }, 'network'],
  [{ kind: 'recipient_invalid', problem: 'x' }, 'permanent_recipient'],
  [{ kind: 'smtputf8_missing' }, 'permanent_recipient'],
  [{ kind: 'too_large', sizeBytes: 2, limitBytes: 1 }, 'permanent_content'],
  [{ kind: 'lost', loss: { reason: 'timeout' }, command: 'RCPT', progress: 'before_data' }, 'network'],
  [{ kind: 'lost', loss: { reason: 'closed' }, command: 'DOT', progress: 'in_body' }, 'transient_remote'],
  [{ kind: 'lost', loss: { reason: 'closed' }, command: 'DOT', progress: 'after_dot' }, 'ambiguous'],
]

describe('classifyFailure', () => {
  for (const [command, line, expected] of REPLIES) {
    it(`takes ${line} to ${command} as ${expected}`, () => {
      const reader = openReplyReader()
      reader.push(Buffer.from(`${line}\r\n`))
      const reply = reader.next()
      assert.ok(reply !== undefined && reply !== 'garbage')
      assert.equal(classifyFailure({ kind: 'reply', reply, command }), expected)
    })
  }

  for (const [signal, expected] of OTHERS) {
    it(`takes ${signal.kind}${'progress' in signal ? ` ${signal.progress}` : ''} as ${expected}`, () => {
      assert.equal(classifyFailure(signal), expected)
    })
  }
})
