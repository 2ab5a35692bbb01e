/** What went wrong on the way to the server's yes, before it is judged. */
import type { SmtpReply } from './smtp-reply.ts'
import type { Loss } from './smtp-wire.ts'

export type SmtpCommand = 'CONNECT' | 'EHLO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'DOT' | 'RSET'

/** How far the content had gone. */
export type Progress = 'before_data' | 'in_body' | 'after_dot'

export type SmtpSignal =
  | { readonly kind: 'expired' }
  | { readonly kind: 'reply'; readonly reply: SmtpReply; readonly command: SmtpCommand }
  | { readonly kind: 'lost'; readonly loss: Loss; readonly command: SmtpCommand; readonly progress: Progress }
  /** No TLS: the handshake failed, or the server does not offer it. `code` is Node's. */
  | { readonly kind: 'tls'; readonly code: string }
  /** Credentials are configured, and the server offers no mechanism that we have. */
  | { readonly kind: 'auth_not_offered'; readonly offered: readonly string[] }
  /** Names no mailbox that SMTP could carry; `problem` never repeats it. */
  | { readonly kind: 'recipient_invalid'; readonly problem: string }
  | { readonly kind: 'smtputf8_missing' }
  | { readonly kind: 'too_large'; readonly sizeBytes: number; readonly limitBytes: number }
  | { readonly kind: 'compose'; readonly problem: string }
  | { readonly kind: 'closing' }
