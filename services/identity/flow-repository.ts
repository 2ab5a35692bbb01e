/**
 * The SQL of flows and of counting mails. Each function is one statement, prepared once per connection; instants are the database's.
 * A `db` may be the pool, where the statement commits by itself; a `tx` is a transaction.
 */
import type { Tx } from '#libs/database'
import type { ChannelId } from '#libs/messages'
import type { OwnerRow } from './identity.ts'
import { identityColumns } from './identity-repository.ts'
import type { Traits } from './traits.ts'

export type FlowKind = 'registration' | 'login' | 'recovery' | 'verification'
export type Method = 'code' | 'link'

export interface NewFlow {
  readonly id: string
  readonly kind: FlowKind
  readonly via: ChannelId
  readonly method: Method
  readonly identifier: string
  readonly addressHash: Buffer
  /** Of the code, or of the token of a link. */
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
  /** Who owns the address: who proved it, or for a verification who wants to; undefined where nobody does. */
  readonly owner: OwnerRow | undefined
}

/** Counts a mail to the address `$1`, of which `$3` are allowed within `$2` ms; holds the address' row until the transaction ends. */
const COUNT_MAIL = `
  insert into identity.throttle as t (address_hash, mailed_at, free_at)
  values ($1, array[clock_timestamp()], clock_timestamp() + $2 * interval '1 ms')
  on conflict (address_hash) do update set
    mailed_at = array(
      select mailed from unnest(t.mailed_at) mailed where mailed > clock_timestamp() - $2 * interval '1 ms'
    ) || excluded.mailed_at,
    free_at = excluded.free_at
  where $3 > (select count(*) from unnest(t.mailed_at) mailed where mailed > clock_timestamp() - $2 * interval '1 ms')
  returning 1`

/**
 * Counts the mail against its address, looks for the address' owner and inserts the flow.
 * Holds the address' throttle row until the transaction ends: requests for one address follow each other.
 * @returns undefined when the address has had its mails; then nothing is written, whoever owns it.
 */
export async function startFlow(tx: Tx, flow: NewFlow, limit: MailLimit): Promise<StartedFlow | undefined> {
  const { rows } = await tx.query<{ flow_expires_at: Date } & (OwnerRow | { id: null })>({
    name: 'identity-start-flow',
    text: `
      with allowed as (${COUNT_MAIL}), owner as materialized (
        select ${identityColumns()}, o.id as address_id, o.value as address
        from identity.address o join identity.identity i on i.id = o.identity_id
        where o.identifier = $4 and i.state = 'active' and ($6 = 'verification' or o.verified_at is not null)
      ), flow as (
        insert into identity.flow (id, kind, code_hash, identity_id, address_id, traits, expires_at, via, method)
        select $5::uuid, $6, $7::bytea, (select id from owner), (select address_id from owner), $8::jsonb,
          clock_timestamp() + $9 * interval '1 ms', $10, $11
        from allowed
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
      flow.via,
      flow.method,
    ],
  })
  const row = rows[0]
  return row && { expiresAt: row.flow_expires_at, owner: row.id === null ? undefined : row }
}

/** @returns false, with nothing counted, when the address has had its mails. */
export async function countMail(tx: Tx, addressHash: Buffer, limit: MailLimit): Promise<boolean> {
  const { rowCount } = await tx.query({
    name: 'identity-count-mail',
    text: COUNT_MAIL,
    values: [addressHash, limit.windowMs, limit.mails],
  })
  return rowCount > 0
}

/** Inserts a verification of an identity's address by code, whose mail was counted already. @returns when it expires */
export async function startVerification(
  tx: Tx,
  flow: Pick<NewFlow, 'id' | 'via' | 'codeHash' | 'lifespanMs'> & { identityId: string; addressId: string },
): Promise<Date> {
  const { rows } = await tx.query<{ expires_at: Date }>({
    name: 'identity-start-verification',
    text: `
      insert into identity.flow (id, kind, via, code_hash, identity_id, address_id, expires_at)
      values ($1, 'verification', $2, $3, $4, $5, clock_timestamp() + $6 * interval '1 ms')
      returning expires_at`,
    values: [flow.id, flow.via, flow.codeHash, flow.identityId, flow.addressId, flow.lifespanMs],
  })
  return rows[0]!.expires_at
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
  readonly via: ChannelId
  readonly identity_id: string | null
  /** null in flows of an owner that the former version started. */
  readonly address_id: string | null
  readonly traits: Traits | null
}

/**
 * Takes one of the tries of a flow's code, before anything is compared: concurrent guesses share them and never exceed them. A token
 * cannot be guessed and has no number of tries; nor has a verification that is done already, which gives nothing any more.
 * Meant to commit by itself; a wrong code must not give the try back.
 * @returns undefined when there is no such flow, or it is over: expired, out of tries, or spent and no verification.
 */
export async function takeTry(db: Tx, id: string, kind: FlowKind, tries: number): Promise<TriedFlow | undefined> {
  const { rows } = await db.query<TriedFlow>({
    name: 'identity-take-try',
    text: `
      update identity.flow set attempts = attempts + (method = 'code' and spent_at is null)::int
      where id = $1 and kind = $2 and expires_at > clock_timestamp()
        and case when spent_at is null then method = 'link' or attempts < $3 else kind = 'verification' end
      returning code_hash, via, identity_id, address_id, traits`,
    values: [id, kind, tries],
  })
  return rows[0]
}

/** Takes no try. */
export async function lookAtFlow(
  db: Tx,
  id: string,
  kind: FlowKind,
): Promise<{ readonly code_hash: Buffer; readonly is_over: boolean } | undefined> {
  const { rows } = await db.query<{ code_hash: Buffer; is_over: boolean }>({
    name: 'identity-look-at-flow',
    text: `
      select code_hash, spent_at is not null or expires_at <= clock_timestamp() as is_over
      from identity.flow where id = $1 and kind = $2`,
    values: [id, kind],
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
