/** What went wrong on the way to the server's yes, before it is judged. */
import type { SmtpReply, SmtpTarget } from '#libs/smtp'
import type { ServerCertificate } from './server-certificate.ts'
import type { Loss } from './smtp-wire.ts'

export type SmtpCommand = 'CONNECT' | 'EHLO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'DOT' | 'RSET'

/** How far the content had gone. */
export type Progress = 'before_data' | 'in_body' | 'after_dot'

/** No TLS: the handshake failed, or the server does not offer it. */
export interface TlsSignal {
  readonly kind: 'tls'
  /** Node's; NOT_OFFERED; INJECTED where bytes came between STARTTLS and TLS. */
  readonly code: string
  readonly security: SmtpTarget['security']
  readonly host: string
  /** The name that the certificate has to carry. */
  readonly expected: string
  readonly certificate?: ServerCertificate
}

export interface LostSignal {
  readonly kind: 'lost'
  readonly loss: Loss
  readonly command: SmtpCommand
  readonly progress: Progress
  /** Whether TLS had just been agreed on, and nothing was heard since. */
  readonly afterTls?: boolean
}

export type SmtpSignal =
  | { readonly kind: 'expired' }
  | { readonly kind: 'reply'; readonly reply: SmtpReply; readonly command: SmtpCommand }
  | LostSignal
  | TlsSignal
  /** The server's address lies where connections must not go; `problem` never names it. */
  | { readonly kind: 'address_refused'; readonly problem: string }
  /** Credentials are configured, and the server offers no mechanism that we have. */
  | { readonly kind: 'auth_not_offered'; readonly offered: readonly string[] }
  /** Names no mailbox that SMTP could carry; `problem` never repeats it. */
  | { readonly kind: 'recipient_invalid'; readonly problem: string }
  | { readonly kind: 'smtputf8_missing' }
  | { readonly kind: 'too_large'; readonly sizeBytes: number; readonly limitBytes: number }
  | { readonly kind: 'compose'; readonly problem: string }
  | { readonly kind: 'closing' }
