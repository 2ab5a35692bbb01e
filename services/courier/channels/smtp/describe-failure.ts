/** Puts a signal into words for whoever operates the system: which server, what it said by code, what to change. */
import type { DeliveryFailure, FailureClass } from '#libs/delivery'
import type { SmtpReply } from '#libs/smtp'
import { classifyFailure } from './classify-failure.ts'
import { describeTls } from './describe-tls.ts'
import { retryAfterMs } from './retry-after.ts'
import type { LostSignal, SmtpCommand, SmtpSignal } from './smtp-signal.ts'

const URI = 'courier.smtp.connection_uri'

/** The failure that goes into events and logs. A reply's text never does: it may name the recipient. */
export function describeFailure(signal: SmtpSignal, place: string): DeliveryFailure {
  const failureClass = classifyFailure(signal)
  const message = messageOf(signal, failureClass, place)
  if (signal.kind === 'lost') return { class: failureClass, message, command: signal.command }
  if (signal.kind !== 'reply') return { class: failureClass, message }
  const { reply, command } = signal
  const waitMs = reply.code < 500 ? retryAfterMs(reply.lines.join(' ')) : undefined
  return {
    class: failureClass,
    message,
    replyCode: reply.code,
    ...(reply.enhanced !== undefined && { enhancedCode: reply.enhanced }),
    command,
    ...(waitMs !== undefined && { retryAfterMs: waitMs }),
  }
}

function messageOf(signal: SmtpSignal, failureClass: FailureClass, place: string): string {
  switch (signal.kind) {
    case 'expired':
      return 'its lifetime ended before it could be sent'
    case 'auth_not_offered':
      return `${place} offers ${signal.offered.length === 0 ? 'no login' : `only ${signal.offered.join(', ')} as login`}: take user and password out of ${URI}, or use the port that takes submissions (587, or 465 with smtps://)`
    case 'tls':
      return `${place} ${describeTls(signal)}`
    case 'address_refused':
      return `${place} is out of bounds: ${signal.problem}; name a server with a public address in ${URI}`
    case 'recipient_invalid':
      return signal.problem
    case 'smtputf8_missing':
      return `${place} does not take addresses with other than ASCII letters before the @ (no SMTPUTF8)`
    case 'too_large':
      return `the mail has ${signal.sizeBytes} bytes, ${place} takes ${signal.limitBytes}: shorten the template`
    case 'compose':
      return `the mail cannot be composed: ${signal.problem}`
    case 'closing':
      return 'the courier is stopping'
    case 'lost':
      return lostMessage(signal, place)
    case 'reply':
      return replyMessage(signal.reply, signal.command, failureClass, place)
  }
}

const CONNECT_PROBLEMS: Record<string, string | undefined> = {
  ECONNREFUSED: `refused the connection: check that the mail server runs and that ${URI} names its host and port`,
  ENOTFOUND: `cannot be found in DNS: check the host in ${URI}`,
  EAI_AGAIN: 'cannot be looked up: the DNS server does not answer',
  EHOSTUNREACH: 'cannot be reached: check the network and the firewall between here and there',
  ENETUNREACH: 'cannot be reached: check the network and the firewall between here and there',
  ETIMEDOUT: 'does not answer: check the host, the port and the firewall between here and there',
  SILENT: `takes connections and says nothing: check the port, and where it has TLS from the start, use smtps:// in ${URI}`,
}

const WAITED_FOR: Record<SmtpCommand, string> = {
  CONNECT: 'the connection or its greeting',
  EHLO: 'the reply to EHLO',
  STARTTLS: 'TLS',
  AUTH: 'the reply to AUTH',
  MAIL: 'the reply to MAIL',
  RCPT: 'the reply to RCPT',
  DATA: 'the body to be taken',
  DOT: 'the reply to the final dot',
  RSET: 'the reply to RSET',
}

function lostMessage({ loss, command, progress, afterTls }: LostSignal, place: string): string {
  const { reason, code } = loss
  if (progress === 'after_dot') {
    return `${place} ${reason === 'timeout' ? 'gave no answer' : 'closed the connection'} after the whole mail had left: it may have been delivered`
  }
  if (afterTls && reason !== 'timeout') {
    return `${place} closed the connection right after TLS: it may ask for a client certificate, or not take ours (courier.smtp.client_cert_path)`
  }
  if (command === 'CONNECT') {
    const problem = CONNECT_PROBLEMS[code ?? (reason === 'timeout' ? 'SILENT' : '')]
    if (problem !== undefined) return `${place} ${problem}`
  }
  if (reason === 'garbage') return `${place} does not speak SMTP: check the port in ${URI}`
  const how =
    reason === 'timeout' ? 'made us wait too long' : `closed the connection${code === undefined ? '' : ` (${code})`}`
  return `${place} ${how} ${progress === 'in_body' ? 'while the mail was being sent' : `while we waited for ${WAITED_FOR[command]}`}`
}

const REMEDIES: Partial<Record<FailureClass, string>> = {
  auth: `: check user and password in ${URI}, with special characters percent-encoded`,
  tls: `: check the server's TLS, or the scheme in ${URI}`,
  greylisted: ': it asks new senders to come back later, and will take the mail then',
  throttled: ': it wants fewer mails at a time; lower postrider.courier.concurrency if this goes on',
  mailbox_full: ": the recipient's mailbox is full",
  permanent_recipient: ': it does not know the recipient',
  permanent_content:
    ': it does not like the content or the sender; check the template, SPF, DKIM and DMARC of courier.smtp.from_address',
  protocol: ': it did not understand us; its log tells why',
  channel_refused: ': it does not want to talk to this host; check its access rules',
  permanent_remote: ': its log tells why',
  transient_remote: ': it will be tried again',
}

const REFUSED: Record<SmtpCommand, string> = {
  CONNECT: 'refused the session',
  EHLO: 'refused the session',
  STARTTLS: 'refused STARTTLS',
  AUTH: 'refused the login',
  MAIL: 'refused the sender',
  RCPT: 'refused the recipient',
  DATA: 'refused to take the mail',
  DOT: 'refused the mail',
  RSET: 'refused to reset the session',
}

const NOT_VERIFIED = /not verified/i

function replyMessage(reply: SmtpReply, command: SmtpCommand, failureClass: FailureClass, place: string): string {
  const codes = reply.enhanced === undefined ? `${reply.code}` : `${reply.code} ${reply.enhanced}`
  return `${place} ${REFUSED[command]} with ${codes}${remedyOf(reply, failureClass)}`
}

function remedyOf({ code, lines }: SmtpReply, failureClass: FailureClass): string {
  if (failureClass === 'channel_refused' && code < 500) return ': it takes no session now, and will be asked again'
  if (code >= 500 && lines.some((line) => NOT_VERIFIED.test(line))) {
    return ': it has not verified the sender or, in a sandbox, the recipient; verify courier.smtp.from_address there'
  }
  return REMEDIES[failureClass] ?? ''
}
