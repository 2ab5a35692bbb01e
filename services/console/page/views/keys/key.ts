/** A key as the API lists it; never with its token. */
export interface Key {
  readonly id: string
  readonly name: string
  readonly role: string
  /** Slug; null for every project. */
  readonly project: string | null
  readonly created_at: string
  readonly last_used_at: string | null
  readonly expires_at: string | null
  readonly revoked_at: string | null
}

export const ROLES: Readonly<Record<string, string>> = {
  viewer: 'viewer: reads messages and configuration',
  sender: 'sender: hands messages over, reads nothing',
  operator: 'operator: reads, sends, retries and cancels',
  admin: 'admin: all of it, configuration and keys too',
}
