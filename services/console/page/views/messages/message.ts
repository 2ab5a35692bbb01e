/** A message as the list of the admin API shows it. */
export interface ListedMessage {
  readonly id: string
  readonly state: string
  readonly recipient: string
  readonly template_type: string
  readonly channel: string
  readonly project_id: string
  readonly send_count: number
  readonly created_at: string
  readonly updated_at: string
  readonly expires_at: string
  readonly next_attempt_at: string | null
  readonly trace_id: string | null
  readonly last_error: string | null
  readonly blocked_by: { readonly message: string; readonly since: string; readonly next_probe_at: string } | null
}

export const MESSAGES = '/admin/courier/messages'
