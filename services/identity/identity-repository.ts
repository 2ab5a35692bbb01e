/**
 * The SQL of identities, their addresses and sessions. Each function is one statement, prepared once per connection; instants are
 * the database's. A `db` may be the pool, where the statement commits by itself; a `tx` is a transaction.
 */
import type { Tx } from '#libs/database'
import type { ChannelId } from '#libs/messages'
import type { AddressRow, IdentityRow, SessionRow } from './identity.ts'
import { TRAIT_OF, type Traits } from './traits.ts'

export interface NewAddress {
  readonly id: string
  readonly via: ChannelId
  readonly identifier: string
  readonly value: string
}

/**
 * The columns of an IdentityRow, where `i` is an identity.
 * @param from what holds its addresses: a statement does not see in the table what it inserts itself
 * @param proven the address that the statement itself verifies
 */
export function identityColumns(from = 'identity.address', proven = 'null::uuid'): string {
  return `i.id, i.schema_id, i.state, i.traits, i.created_at, i.updated_at, i.state_changed_at,
    (select coalesce(json_agg(${addressColumn(`coalesce(a.verified_at, case when a.id = ${proven} then now() end)`)} order by a.via), '[]')
     from ${from} a where a.identity_id = i.id) as addresses`
}

function addressColumn(verifiedAt: string): string {
  return `json_build_object('id', a.id, 'via', a.via, 'value', a.value, 'verified_at', ${verifiedAt},
    'created_at', a.created_at, 'updated_at', a.updated_at)`
}

/**
 * Spends a registration's flow and inserts its identity with `proven` as verified and `other` as pending address, in one statement.
 * Of concurrent completions for one address one inserts; the others wait for it.
 * @returns undefined, with nothing written, when the flow is spent or the proven address already has an owner.
 * @throws the database's unique violation, with nothing written, when the other address has one.
 */
export async function createIdentity(
  db: Tx,
  flowId: string,
  identity: { id: string; proven: NewAddress; other: NewAddress | undefined },
): Promise<IdentityRow | undefined> {
  const { id, proven, other } = identity
  const { rows } = await db.query<IdentityRow>({
    name: 'identity-create',
    text: `
      with flow as (
        select traits from identity.flow where id = $1 and spent_at is null for update
      ), proven as (
        insert into identity.address (id, identity_id, via, identifier, value, verified_at)
        select $3, $2, $4, $5, $6, now() from flow
        on conflict (identifier) do nothing
        returning *
      ), other as (
        insert into identity.address (id, identity_id, via, identifier, value)
        select $7, $2, $8, $9, $10 from proven where $7::uuid is not null
        returning *
      ), i as (
        insert into identity.identity (id, traits) select proven.identity_id, flow.traits from proven, flow
        returning *
      ), spent as (
        update identity.flow set spent_at = now(), traits = null where id = $1 and exists (select from proven)
      )
      select ${identityColumns('(select * from proven union all select * from other)')} from i`,
    values: [
      flowId,
      id,
      ...[proven.id, proven.via, proven.identifier, proven.value],
      ...[other?.id, other?.via, other?.identifier, other?.value].map((value) => value ?? null),
    ],
  })
  return rows[0]
}

/**
 * Takes an address away from an identity that never proved it, trait and all: whoever completes a registration with a code from that
 * mailbox is its owner, and must not find himself in an account that somebody else opened under his address.
 */
export async function releaseClaim(db: Tx, flowId: string, { identifier, via }: NewAddress): Promise<void> {
  await db.query({
    name: 'identity-release-claim',
    text: `
      with claim as (
        delete from identity.address a using identity.flow f
        where a.identifier = $2 and a.verified_at is null and f.id = $1 and f.spent_at is null
        returning a.identity_id
      )
      update identity.identity i set traits = i.traits - $3::text, updated_at = now() from claim where i.id = claim.identity_id`,
    values: [flowId, identifier, TRAIT_OF[via]],
  })
}

/** The owner of exactly this address: one that merely folds to the same identifier may be somebody else's mailbox. */
export async function findOwner(
  db: Tx,
  identifier: string,
  address: string,
): Promise<{ readonly identity_id: string; readonly address_id: string } | undefined> {
  const { rows } = await db.query<{ identity_id: string; address_id: string }>({
    name: 'identity-find-owner',
    text: 'select identity_id, id as address_id from identity.address where identifier = $1 and value = $2 and verified_at is not null',
    values: [identifier, address],
  })
  return rows[0]
}

export interface NewSession {
  readonly id: string
  readonly tokenHash: Buffer
  readonly lifespanMs: number
}

/**
 * Spends a flow, opens a session for `identityId` and notes its address as verified, in one statement: of two with the right code
 * one gets it.
 * @param addressId where the code or link went; null in flows of the former version
 * @returns undefined, with nothing written, when the flow is spent, the identity gone or inactive, or the address no longer its own.
 */
export async function openSession(
  db: Tx,
  flowId: string,
  owner: { readonly identityId: string; readonly addressId: string | null },
  session: NewSession,
): Promise<IdentityRow | undefined> {
  const { rows } = await db.query<IdentityRow>({
    name: 'identity-open-session',
    text: `
      with owner as (
        select ${identityColumns('identity.address', '$6')} from identity.identity i
        where i.id = $2 and i.state = 'active'
          and ($6::uuid is null or exists (select from identity.address where id = $6 and identity_id = $2))
      ), spent as (
        update identity.flow set spent_at = now(), traits = null
        where id = $1 and spent_at is null and exists (select from owner)
        returning 1
      ), session as (
        insert into identity.session (id, token_hash, identity_id, expires_at)
        select $3, $4, owner.id, now() + $5 * interval '1 ms' from spent, owner
        returning 1
      ), verified as (
        update identity.address set verified_at = now(), updated_at = now()
        where id = $6 and verified_at is null and exists (select from spent)
      )
      select owner.* from owner, session`,
    values: [flowId, owner.identityId, session.id, session.tokenHash, session.lifespanMs, owner.addressId],
  })
  return rows[0]
}

export interface Verified {
  readonly address: AddressRow
  /** The same flow did it before. */
  readonly already: boolean
}

/**
 * Spends a verification and notes its address as verified, in one statement. May be repeated until the flow expires.
 * @returns undefined, with nothing written, when the flow expired or its address was replaced or belongs to nobody.
 */
export async function verifyAddress(db: Tx, flowId: string): Promise<Verified | undefined> {
  const { rows } = await db.query<Verified>({
    name: 'identity-verify-address',
    text: `
      with flow as (
        select address_id, spent_at from identity.flow where id = $1 and expires_at > clock_timestamp() for update
      ), spent as (
        update identity.flow set spent_at = now()
        where id = $1 and spent_at is null and exists (select from flow join identity.address a on a.id = flow.address_id)
      ), verified as (
        update identity.address a set verified_at = now(), updated_at = now()
        from flow where a.id = flow.address_id and flow.spent_at is null and a.verified_at is null
      )
      select ${addressColumn('coalesce(a.verified_at, now())')} as address, flow.spent_at is not null as already
      from flow join identity.address a on a.id = flow.address_id`,
    values: [flowId],
  })
  return rows[0]
}

/** @returns undefined when the session is unknown or has ended, or its identity is inactive. */
export async function findSession(db: Tx, tokenHash: Buffer): Promise<SessionRow | undefined> {
  const { rows } = await db.query<SessionRow>({
    name: 'identity-find-session',
    text: `
      select s.id as session_id, s.issued_at, s.authenticated_at, s.expires_at, ${identityColumns()}
      from identity.session s join identity.identity i on i.id = s.identity_id
      where s.token_hash = $1 and s.expires_at > now() and i.state = 'active'`,
    values: [tokenHash],
  })
  return rows[0]
}

/** The identity of a session, locked until the transaction ends, so that changes of it follow each other. */
export async function lockIdentity(tx: Tx, tokenHash: Buffer): Promise<IdentityRow | undefined> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'identity-lock',
    text: `
      select i.id from identity.identity i join identity.session s on s.identity_id = i.id
      where s.token_hash = $1 and s.expires_at > now() and i.state = 'active' for update of i`,
    values: [tokenHash],
  })
  // Read behind the lock, since the statement that waited for it still saw the addresses of before.
  return rows[0] && readIdentity(tx, rows[0].id)
}

async function readIdentity(tx: Tx, id: string): Promise<IdentityRow | undefined> {
  const { rows } = await tx.query<IdentityRow>({
    name: 'identity-read',
    text: `select ${identityColumns()} from identity.identity i where i.id = $1`,
    values: [id],
  })
  return rows[0]
}

/** A new address has a new id, so that flows of the old one prove nothing any more. */
export async function deleteAddress(tx: Tx, id: string): Promise<void> {
  await tx.query({ name: 'identity-delete-address', text: 'delete from identity.address where id = $1', values: [id] })
}

/** @returns false, with nothing written, when the address has an owner. */
export async function insertAddress(tx: Tx, identityId: string, address: NewAddress): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'identity-insert-address',
    text: `
      insert into identity.address (id, identity_id, via, identifier, value) values ($1, $2, $3, $4, $5)
      on conflict (identifier) do nothing`,
    values: [address.id, identityId, address.via, address.identifier, address.value],
  })
  return rowCount > 0
}

/** @returns the identity as it is now, with the addresses that this transaction gave it */
export async function updateTraits(tx: Tx, id: string, traits: Traits): Promise<IdentityRow> {
  const { rows } = await tx.query<IdentityRow>({
    name: 'identity-update-traits',
    text: `
      update identity.identity i set traits = $2, updated_at = now() where i.id = $1
      returning ${identityColumns()}`,
    values: [id, JSON.stringify(traits)],
  })
  return rows[0]!
}
