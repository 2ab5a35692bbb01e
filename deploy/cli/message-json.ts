/** Messages as the admin API shows them: the fields that are printed. */
export interface ListedMessage {
  readonly id: string
  readonly state: string
  readonly recipient: string
  readonly template_type: string
  readonly send_count: number
  readonly created_at: string
  readonly updated_at?: string
  readonly next_attempt_at: string | null
  readonly last_error: string | null
}

export interface Attempt {
  readonly attempt: number
  readonly status: string
  readonly state?: string
  readonly created_at: string
  readonly duration_ms: number | null
  readonly durations_ms?: Readonly<Record<string, number>>
  readonly error: { readonly message: string } | null
  readonly class?: string | null
  readonly reply_code?: number | null
  readonly enhanced_code?: string | null
  readonly reply_text?: string | null
  readonly command?: string | null
  readonly decision?: string | null
  readonly next_attempt_at?: string | null
  readonly provider?: string | null
  readonly worker?: string | null
  readonly peer?: {
    readonly host: string
    readonly port: number
    readonly address?: string
    readonly tls?: string
  } | null
  readonly reused?: boolean | null
  readonly conversation?: readonly string[] | null
}

export interface ShownMessage extends ListedMessage {
  readonly blocked_by?: {
    readonly since: string
    readonly next_probe_at: string
    readonly message: string
  } | null
  readonly dispatches?: readonly Attempt[]
}

export const MESSAGES = 'admin/courier/messages'

export function messagePath(id: string, action = ''): string {
  return `${MESSAGES}/${encodeURIComponent(id)}${action}`
}
