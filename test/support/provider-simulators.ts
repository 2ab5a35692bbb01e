/**
 * Providers as their SMTP endpoints behave, over the sink: what they offer, what they refuse and in which words. Each is one server of
 * one account; `tls` is its certificate.
 */
import { randomUUID } from 'node:crypto'
import { openSmtpSink, type SinkScript, type SinkTls, type SmtpSink } from './smtp-sink.ts'

export interface Account {
  readonly user: string
  readonly password: string
}

/** Read at every command, so that a test may change them on the way. */
export interface SesLimits {
  /** Answers 454 to a mail beyond as many in one second. */
  mailsPerSecond?: number
  /** Ends a session by 421 after as many mails. */
  readonly mailsPerSession?: number
  /** Answers 421 in place of a greeting beyond as many sessions. */
  readonly sessions?: number
  /** Senders that the account has verified; any unless given. */
  readonly verified?: readonly string[]
}

/** The answer, or undefined for the sink's own. */
type Answer = NonNullable<SinkScript['answer']>

const NEEDS_TLS = new Set(['AUTH', 'MAIL'])

/** https://documentation.mailgun.com: its yes names no id; it knows a mail by its Message-ID. */
export function openMailgun(account: Account, tls: SinkTls): Promise<SmtpSink> {
  return openSmtpSink({
    tls,
    greeting: '220 Mailgun Influx ready',
    extensions: ['SIZE 52428800', '8BITMIME', 'ENHANCEDSTATUSCODES', 'SMTPUTF8'],
    auth: {
      ...account,
      mechanisms: ['PLAIN', 'LOGIN'],
      needsTls: true,
      refusal: '535 5.7.0 Mailgun refuses the login',
    },
    answer: firstOf(untilTls('530 5.7.0 Must issue a STARTTLS command first'), (command) =>
      command === 'DOT' ? '250 Great success' : undefined,
    ),
  })
}

/** https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html */
export function openSes(account: Account, tls: SinkTls, limits: SesLimits = {}): Promise<SmtpSink> {
  return openSmtpSink({
    tls,
    greeting: '220 email-smtp.amazonaws.com ESMTP SimpleEmailService-d-SIM',
    extensions: ['8BITMIME', 'Ok'],
    auth: {
      ...account,
      mechanisms: ['PLAIN', 'LOGIN'],
      needsTls: true,
      welcome: '235 Authentication successful.',
      refusal: '535 Authentication Credentials Invalid',
    },
    answer: firstOf(untilTls('530 Must issue a STARTTLS command first'), sesSession(limits), sesMail(limits)),
  })
}

/** https://postmarkapp.com/developer/user-guide/send-email-with-smtp: the server's token is user and password. */
export function openPostmark(token: string, tls: SinkTls): Promise<SmtpSink> {
  return openSmtpSink({
    tls,
    greeting: '220 smtp.postmarkapp.com ESMTP ready',
    auth: {
      user: token,
      password: token,
      mechanisms: ['CRAM-MD5', 'PLAIN', 'LOGIN'],
      refusal: '535 5.7.8 Authentication credentials invalid',
    },
    answer: (command) => (command === 'DOT' ? `250 2.0.0 Ok: queued as ${randomUUID()}` : undefined),
  })
}

function firstOf(...answers: readonly Answer[]): Answer {
  return (command, line, session) => {
    for (const answer of answers) {
      const said = answer(command, line, session)
      if (said !== undefined) return said
    }
    return undefined
  }
}

function untilTls(refusal: string): Answer {
  return (command, _, { isSecure }) => (NEEDS_TLS.has(command) && !isSecure ? refusal : undefined)
}

function sesSession({ sessions = Number.POSITIVE_INFINITY, mailsPerSession }: SesLimits): Answer {
  return (command, _, { number, mails }) => {
    if (command === 'OPEN' && number > sessions) return '421 Too many concurrent SMTP connections'
    if (command === 'MAIL' && mailsPerSession !== undefined && mails >= mailsPerSession) {
      return '421 Connection closed by server. Maximum message count per session reached.'
    }
    return undefined
  }
}

function sesMail(limits: SesLimits): Answer {
  const accepted: number[] = []
  return (command, _, { from }) => {
    if (command !== 'DOT') return undefined
    const { mailsPerSecond = Number.POSITIVE_INFINITY, verified } = limits
    if (verified !== undefined && !verified.includes(from)) {
      return `554 Message rejected: Email address is not verified. The following identities failed the check: ${from}`
    }
    const now = Date.now()
    if (accepted.filter((at) => now - at < 1_000).length >= mailsPerSecond) {
      return '454 Throttling failure: Maximum sending rate exceeded.'
    }
    accepted.push(now)
    return `250 Ok ${sesId()}`
  }
}

/** As 010201987f4b0d5e-a1b2c3d4-e5f6-4711-8899-aabbccddeeff-000000. */
function sesId(): string {
  return `0102${Date.now().toString(16).padStart(12, '0')}-${randomUUID()}-000000`
}
