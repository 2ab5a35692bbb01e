/** An identity as the API and the mails show it: Ory's JSON, without credentials. */
import type { ChannelId } from '#libs/messages'
import type { Traits } from './traits.ts'

/** As the database's JSON has it: instants are RFC 3339 texts. */
export interface AddressRow {
  readonly id: string
  readonly via: ChannelId
  readonly value: string
  readonly verified_at: string | null
  readonly created_at: string
  readonly updated_at: string
}

export interface IdentityRow {
  readonly id: string
  readonly schema_id: string
  readonly state: string
  readonly traits: Traits
  readonly created_at: Date
  readonly updated_at: Date
  readonly state_changed_at: Date
  /** Mail before SMS. */
  readonly addresses: readonly AddressRow[]
}

/** An identity, found by one of its addresses. */
export interface OwnerRow extends IdentityRow {
  readonly address_id: string
  /** As the identity spells it. */
  readonly address: string
}

export interface SessionRow extends IdentityRow {
  readonly session_id: string
  readonly issued_at: Date
  readonly authenticated_at: Date
  readonly expires_at: Date
}

/** @param publicUrl without a slash at its end */
export function identityJson(row: IdentityRow, publicUrl: string): Record<string, unknown> {
  return {
    id: row.id,
    schema_id: row.schema_id,
    schema_url: `${publicUrl}/schemas/${Buffer.from(row.schema_id).toString('base64url')}`,
    state: row.state,
    state_changed_at: row.state_changed_at,
    traits: row.traits,
    verifiable_addresses: row.addresses.map(addressJson),
    recovery_addresses: row.addresses.map(({ id, value, via, created_at, updated_at }) => ({
      id,
      value,
      via,
      created_at: new Date(created_at),
      updated_at: new Date(updated_at),
    })),
    metadata_public: null,
    created_at: row.created_at,
    updated_at: row.updated_at,
    organization_id: null,
  }
}

export function addressJson({ id, value, via, verified_at, created_at, updated_at }: AddressRow) {
  return {
    id,
    value,
    verified: verified_at !== null,
    via,
    status: verified_at === null ? 'pending' : 'completed',
    ...(verified_at !== null && { verified_at: new Date(verified_at) }),
    created_at: new Date(created_at),
    updated_at: new Date(updated_at),
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
