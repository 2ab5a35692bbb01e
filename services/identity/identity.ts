/** An identity as the API and the mails show it: Ory's JSON, without credentials. */
import type { Traits } from './traits.ts'

export interface IdentityRow {
  readonly id: string
  readonly schema_id: string
  readonly state: string
  readonly traits: Traits
  readonly created_at: Date
  readonly updated_at: Date
  readonly state_changed_at: Date
  readonly address_id: string
  readonly address: string
  readonly verified_at: Date | null
  readonly address_created_at: Date
  readonly address_updated_at: Date
}

export interface SessionRow extends IdentityRow {
  readonly session_id: string
  readonly issued_at: Date
  readonly authenticated_at: Date
  readonly expires_at: Date
}

/** @param publicUrl without a slash at its end */
export function identityJson(row: IdentityRow, publicUrl: string): Record<string, unknown> {
  const created_at = row.address_created_at
  const updated_at = row.address_updated_at
  return {
    id: row.id,
    schema_id: row.schema_id,
    schema_url: `${publicUrl}/schemas/${Buffer.from(row.schema_id).toString('base64url')}`,
    state: row.state,
    state_changed_at: row.state_changed_at,
    traits: row.traits,
    verifiable_addresses: [
      {
        id: row.address_id,
        value: row.address,
        verified: row.verified_at !== null,
        via: 'email',
        status: row.verified_at === null ? 'pending' : 'completed',
        ...(row.verified_at !== null && { verified_at: row.verified_at }),
        created_at,
        updated_at,
      },
    ],
    recovery_addresses: [{ id: row.address_id, value: row.address, via: 'email', created_at, updated_at }],
    metadata_public: null,
    created_at: row.created_at,
    updated_at: row.updated_at,
    organization_id: null,
  }
}

/** A session in Ory's shape; `active` is always true, since an ended one is not found. */
export function sessionJson(row: SessionRow, publicUrl: string): Record<string, unknown> {
  return {
    id: row.session_id,
    active: true,
    expires_at: row.expires_at,
    authenticated_at: row.authenticated_at,
    authenticator_assurance_level: 'aal1',
    authentication_methods: [{ method: 'code', aal: 'aal1', completed_at: row.authenticated_at }],
    issued_at: row.issued_at,
    identity: identityJson(row, publicUrl),
  }
}
