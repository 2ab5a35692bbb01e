/** One message with everything that is known of it, as the admin API shows it. */
import type { ListedMessage } from '../messages/message.ts'

export interface Attempt {
  readonly id: string
  readonly dispatch: number
  readonly attempt: number
  readonly state: string
  readonly status: 'success' | 'failed'
  readonly error: { readonly message: string } | null
  readonly created_at: string
  readonly class: string | null
  readonly reply_code: number | null
  readonly enhanced_code: string | null
  readonly reply_text: string | null
  readonly command: string | null
  readonly decision: string | null
  readonly next_attempt_at: string | null
  readonly duration_ms: number | null
  readonly durations_ms: Readonly<Record<string, number>>
  readonly provider: string | null
  readonly peer: {
    readonly host: string
    readonly port: number
    readonly address?: string
    readonly tls?: string
  } | null
  readonly reused: boolean | null
  readonly worker: string | null
  readonly conversation: readonly string[] | null
}

export interface MessageDetail extends ListedMessage {
  readonly lane: string
  readonly identity_id: string | null
  readonly locale: string | null
  readonly provider_message_id: string | null
  readonly possibly_delivered: boolean
  readonly resent_from: string | null
  readonly dispatches?: readonly Attempt[]
}

export interface Content {
  readonly subject: string
  readonly text: string
  /** A document for a frame, under a policy of its own; null where the mail has no HTML. */
  readonly html_url: string | null
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Whether codes and links are hidden. */
  readonly masked: boolean
}

export interface TraceSpan {
  readonly id: string
  readonly parent: string | null
  readonly name: string
  readonly service: string
  readonly started_at: string
  /** ms */
  readonly duration_ms: number
  readonly error: boolean
  readonly note: string | null
}

export interface Trace {
  readonly trace_id: string
  /** Of the trace backend; null where none is configured. */
  readonly url: string | null
  readonly spans: readonly TraceSpan[]
}

/** What the server said, without the codes that stand beside it. */
export function replyOf({ reply_text, enhanced_code, error }: Attempt): string {
  const text = reply_text ?? error?.message ?? ''
  return enhanced_code !== null && text.startsWith(`${enhanced_code} `) ? text.slice(enhanced_code.length + 1) : text
}
