/**
 * This service's only SQL. Each function is one statement, prepared once per connection; instants are the database's.
 * A `db` may be the pool, where the statement commits by itself; a `tx` is a transaction.
 */
import type { Tx } from '#libs/database'
import type { IdentityRow, SessionRow } from './identity.ts'
import type { Traits } from './traits.ts'

export type FlowKind = 'registration' | 'login'

export interface NewFlow {
  readonly id: string
  readonly kind: FlowKind
  readonly identifier: string
  readonly addressHash: Buffer
  readonly codeHash: Buffer
  readonly traits: Traits | null
  readonly lifespanMs: number
}

export interface MailLimit {
  readonly mails: number
  readonly windowMs: number
}

export interface StartedFlow {
  readonly expiresAt: Date
  /** Who owns the address; undefined when nobody completed a registration of it. */
  readonly owner: IdentityRow | undefined
}

const IDENTITY_COLUMNS = `i.id, i.schema_id, i.state, i.traits, i.created_at, i.updated_at, i.state_changed_at,
  a.id as address_id, a.value as address, a.verified_at, a.created_at as address_created_at, a.updated_at as address_updated_at`

/**
 * Counts the mail against its address, looks for the address' owner and inserts the flow.
 * Holds the address' throttle row until the transaction ends: requests for one address follow each other.
 * @returns undefined when the address has had its mails; then nothing is written, whoever owns it.
 */
export async function startFlow(tx: Tx, flow: NewFlow, limit: MailLimit): Promise<StartedFlow | undefined> {
  const { rows } = await tx.query<{ flow_expires_at: Date } & (IdentityRow | { id: null })>({
    name: 'identity-start-flow',
    text: `
      with allowed as (
        insert into identity.throttle as t (address_hash, mailed_at, free_at)
        values ($1, array[clock_timestamp()], clock_timestamp() + $2 * interval '1 ms')
        on conflict (address_hash) do update set
          mailed_at = array(
            select mailed from unnest(t.mailed_at) mailed where mailed > clock_timestamp() - $2 * interval '1 ms'
          ) || excluded.mailed_at,
          free_at = excluded.free_at
        where $3 > (select count(*) from unnest(t.mailed_at) mailed where mailed > clock_timestamp() - $2 * interval '1 ms')
        returning 1
      ), owner as materialized (
        select ${IDENTITY_COLUMNS} from identity.address a join identity.identity i on i.id = a.identity_id
        where a.identifier = $4 and i.state = 'active'
      ), flow as (
        insert into identity.flow (id, kind, code_hash, identity_id, traits, expires_at)
        select $5::uuid, $6, $7::bytea, (select id from owner), $8::jsonb, clock_timestamp() + $9 * interval '1 ms' from allowed
        returning expires_at
      )
      select flow.expires_at as flow_expires_at, owner.* from flow left join owner on true`,
    values: [
      flow.addressHash,
      limit.windowMs,
      limit.mails,
      flow.identifier,
      flow.id,
      flow.kind,
      flow.codeHash,
      flow.traits === null ? null : JSON.stringify(flow.traits),
      flow.lifespanMs,
    ],
  })
  const row = rows[0]
  return row && { expiresAt: row.flow_expires_at, owner: row.id === null ? undefined : row }
}

/** How long until the address may be mailed again, in ms; 0 when it may now. */
export async function mailFreeInMs(db: Tx, addressHash: Buffer, limit: MailLimit): Promise<number> {
  const { rows } = await db.query<{ free_in_ms: number }>({
    name: 'identity-mail-free-in',
    text: `
      select extract(epoch from min(mailed) + $2 * interval '1 ms' - clock_timestamp())::float8 * 1000 as free_in_ms
      from identity.throttle, unnest(mailed_at) mailed
      where address_hash = $1 and mailed > clock_timestamp() - $2 * interval '1 ms'`,
    values: [addressHash, limit.windowMs],
  })
  return Math.max(0, rows[0]?.free_in_ms ?? 0)
}

/**
 * Runs `work` and undoes what it wrote unless `keep`; the transaction goes on either way.
 * Statements and their number are the same for both, so that a caller's clock cannot tell them apart.
 */
export async function keepOrUndo(tx: Tx, keep: boolean, work: () => Promise<void>): Promise<void> {
  await tx.query({ text: 'savepoint work' })
  await work()
  await tx.query({ text: keep ? 'release savepoint work' : 'rollback to savepoint work' })
}

export interface TriedFlow {
  readonly code_hash: Buffer
  readonly identity_id: string | null
  readonly traits: Traits | null
}

/**
 * Takes one of the flow's tries, before anything is compared: concurrent guesses share them and never exceed them.
 * Meant to commit by itself; a wrong code must not give the try back.
 * @returns undefined when there is no such flow, or its code is spent, expired or out of tries.
 */
export async function takeTry(db: Tx, id: string, kind: FlowKind, tries: number): Promise<TriedFlow | undefined> {
  const { rows } = await db.query<TriedFlow>({
    name: 'identity-take-try',
    text: `
      update identity.flow set attempts = attempts + 1
      where id = $1 and kind = $2 and attempts < $3 and spent_at is null and expires_at > clock_timestamp()
      returning code_hash, identity_id, traits`,
    values: [id, kind, tries],
  })
  return rows[0]
}

export async function flowExists(db: Tx, id: string, kind: FlowKind): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'identity-flow-exists',
    text: 'select from identity.flow where id = $1 and kind = $2',
    values: [id, kind],
  })
  return rowCount > 0
}

/**
 * Spends a registration's flow and inserts its identity with a verified address, in one statement. Of concurrent completions
 * for one address one inserts; the others wait for it.
 * @returns undefined, with nothing written, when the flow is spent or the address already has an owner.
 */
export async function createIdentity(
  db: Tx,
  flowId: string,
  identity: { id: string; addressId: string; identifier: string; address: string },
): Promise<IdentityRow | undefined> {
  const { rows } = await db.query<IdentityRow>({
    name: 'identity-create',
    text: `
      with flow as (
        select traits from identity.flow where id = $1 and spent_at is null for update
      ), a as (
        insert into identity.address (id, identity_id, identifier, value, verified_at)
        select $2, $3, $4, $5, now() from flow
        on conflict (identifier) do nothing
        returning *
      ), i as (
        insert into identity.identity (id, traits) select a.identity_id, flow.traits from a, flow
        returning *
      ), spent as (
        update identity.flow set spent_at = now(), traits = null where id = $1 and exists (select from a)
      )
      select ${IDENTITY_COLUMNS} from i, a`,
    values: [flowId, identity.addressId, identity.id, identity.identifier, identity.address],
  })
  return rows[0]
}

/** The owner of exactly this address: one that merely folds to the same identifier may be somebody else's mailbox. */
export async function findOwner(db: Tx, identifier: string, address: string): Promise<string | undefined> {
  const { rows } = await db.query<{ identity_id: string }>({
    name: 'identity-find-owner',
    text: 'select identity_id from identity.address where identifier = $1 and value = $2',
    values: [identifier, address],
  })
  return rows[0]?.identity_id
}

/**
 * Spends a flow and opens a session for `identityId`, in one statement: of two with the right code one gets it.
 * @returns undefined, with nothing written, when the flow is spent or the identity is gone or inactive.
 */
export async function openSession(
  db: Tx,
  flowId: string,
  identityId: string,
  session: { id: string; tokenHash: Buffer; lifespanMs: number },
): Promise<IdentityRow | undefined> {
  const { rows } = await db.query<IdentityRow>({
    name: 'identity-open-session',
    text: `
      with owner as (
        select ${IDENTITY_COLUMNS} from identity.identity i join identity.address a on a.identity_id = i.id
        where i.id = $2 and i.state = 'active'
      ), spent as (
        update identity.flow set spent_at = now(), traits = null
        where id = $1 and spent_at is null and exists (select from owner)
        returning 1
      ), session as (
        insert into identity.session (id, token_hash, identity_id, expires_at)
        select $3, $4, owner.id, now() + $5 * interval '1 ms' from spent, owner
        returning 1
      )
      select owner.* from owner, session`,
    values: [flowId, identityId, session.id, session.tokenHash, session.lifespanMs],
  })
  return rows[0]
}

/** @returns undefined when the session is unknown or has ended, or its identity is inactive. */
export async function findSession(db: Tx, tokenHash: Buffer): Promise<SessionRow | undefined> {
  const { rows } = await db.query<SessionRow>({
    name: 'identity-find-session',
    text: `
      select s.id as session_id, s.issued_at, s.authenticated_at, s.expires_at, ${IDENTITY_COLUMNS}
      from identity.session s
      join identity.identity i on i.id = s.identity_id
      join identity.address a on a.identity_id = i.id
      where s.token_hash = $1 and s.expires_at > now() and i.state = 'active'`,
    values: [tokenHash],
  })
  return rows[0]
}

/**
 * Deletes up to `batch` each of ended sessions, throttle rows that say nothing any more, and flows that expired `keepFlowsMs` ago
 * (until then they answer 410, afterwards 404). Rows that another instance is deleting are skipped.
 * @returns how many were deleted.
 */
export async function deleteExpired(db: Tx, batch: number, keepFlowsMs: number): Promise<number> {
  const { rows } = await db.query<{ deleted: number }>({
    name: 'identity-delete-expired',
    text: `
      with flows as (
        delete from identity.flow where id in (
          select id from identity.flow where expires_at < now() - $2 * interval '1 ms' order by expires_at limit $1 for update skip locked
        ) returning 1
      ), sessions as (
        delete from identity.session where id in (
          select id from identity.session where expires_at < now() order by expires_at limit $1 for update skip locked
        ) returning 1
      ), throttles as (
        delete from identity.throttle where address_hash in (
          select address_hash from identity.throttle where free_at < now() order by free_at limit $1 for update skip locked
        ) returning 1
      )
      select (select count(*) from flows) + (select count(*) from sessions) + (select count(*) from throttles) as deleted`,
    values: [batch, keepFlowsMs],
  })
  return rows[0]?.deleted ?? 0
}
