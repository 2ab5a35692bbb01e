/**
 * The lease ledger: who may send which message, and how each try ended. This service's only SQL.
 * While `handed_over` is false the uncommitted Kafka offset owns a message (a crash redelivers it); afterwards the ledger
 * does, and any courier takes what is due. Every statement takes a batch; ids go in sorted, so that couriers never deadlock.
 */
import type { Database } from '#libs/database'
import type { Lane } from '#libs/messages'
import { completedCodes, type LedgerState } from './ledger-state.ts'

export interface NewClaim {
  readonly id: string
  readonly projectId: string
  readonly channel: string
  readonly lane: Lane
  readonly expiresAt: Date
}

export interface Claimed {
  readonly id: string
  readonly dispatch: number
  readonly charged: number
  readonly unknowns: number
  readonly reclaims: number
}

export interface DueClaim extends Claimed {
  readonly payload: string | null
}

/** What stands in the ledger for a message that could not be claimed or concluded. */
export interface LedgerEntry {
  readonly id: string
  readonly state: LedgerState
  readonly dispatch: number
  readonly handedOver: boolean
  readonly event: string | null
}

export interface Conclusion {
  readonly id: string
  /** The fence: the dispatch that was claimed. */
  readonly dispatch: number
  readonly state: 'waiting' | 'held' | 'done'
  readonly charged: number
  readonly unknowns: number
  /** When the next try is due, or when a held message expires; null when done. */
  readonly dueAt: Date | null
  /** Record and trace context, where the ledger takes the message over. */
  readonly payload: string | null
  readonly event: string
}

export interface Concluded {
  readonly id: string
  readonly dispatch: number
  /** Id in the event outbox, where the ledger owned the message. */
  readonly outboxId: number | null
}

export interface OutboxEvent {
  readonly outboxId: number
  readonly event: string
}

/** How much of what is due each channel may have. */
export interface DueShares {
  /** Of projects with a channel of their own. */
  readonly own: readonly { readonly projectId: string; readonly channel: string; readonly most: number }[]
  /** Of all other projects, each. */
  readonly others: readonly { readonly channel: string; readonly most: number }[]
}

const NO_SHARES: DueShares = { own: [], others: [] }
const laneCodes: Record<Lane, number> = { urgent: 0, notice: 1 }

export type LeaseLedger = ReturnType<typeof openLeaseLedger>

/** @param owner name + boot id; also the application name of this courier's own session. */
export function openLeaseLedger(database: Database, owner: string, leaseMs: number) {
  const lease = `${leaseMs} ms`
  return {
    /**
     * Claims messages that their offset owns. Not returned: held by someone, handed over, or done (`lookUp` tells).
     * @param unanswered ids that this owner tried to claim before without an answer: it may hold them without knowing.
     */
    claim: async (claims: readonly NewClaim[], unanswered: readonly string[] = []): Promise<Claimed[]> =>
      (
        await database.query<Claimed>({
          name: 'ledger-claim',
          text: CLAIM,
          values: [
            claims.map((c) => c.id),
            claims.map((c) => c.projectId),
            claims.map((c) => c.expiresAt),
            owner,
            lease,
            unanswered,
            claims.map((c) => c.channel),
            claims.map((c) => laneCodes[c.lane]),
          ],
        })
      ).rows,

    lookUp: async (ids: readonly string[]): Promise<LedgerEntry[]> =>
      (await database.query<LedgerEntry>({ name: 'ledger-look-up', text: LOOK_UP, values: [ids] })).rows,

    /**
     * Hands messages to the ledger: afterwards their offsets may complete. A message that is being sent falls due when its lease
     * ends; one that waits is due at once, or at `dueAt`. @returns ids now owned by the ledger; the others are done.
     */
    handOver: async (items: readonly (NewClaim & { payload: string; dueAt?: Date })[]): Promise<string[]> =>
      (
        await database.query<{ id: string }>({
          name: 'ledger-hand-over',
          text: HAND_OVER,
          values: [
            items.map((i) => i.id),
            items.map((i) => i.projectId),
            items.map((i) => i.expiresAt),
            items.map((i) => i.payload),
            items.map((i) => i.dueAt ?? null),
            items.map((i) => i.channel),
            items.map((i) => laneCodes[i.lane]),
          ],
        })
      ).rows.map((row) => row.id),

    /**
     * Claims up to `limit` messages that are due: urgent before notices, the channels in turn, of each the longest due first and
     * no more than `shares` lets it have. A sending one among them lost its courier.
     */
    claimDue: async (limit: number, shares: DueShares = NO_SHARES): Promise<DueClaim[]> =>
      (
        await database.query<DueClaim>({
          name: 'ledger-claim-due',
          text: CLAIM_DUE,
          values: [
            limit,
            owner,
            lease,
            shares.own.map((s) => s.projectId),
            shares.own.map((s) => s.channel),
            shares.own.map((s) => s.most),
            shares.others.map((s) => s.channel),
            shares.others.map((s) => s.most),
          ],
        })
      ).rows,

    /** Claims up to `limit` messages whose life is over and which nobody is sending, whatever stands in their way. */
    claimExpired: async (limit: number): Promise<DueClaim[]> =>
      (
        await database.query<DueClaim>({
          name: 'ledger-claim-expired',
          text: CLAIM_EXPIRED,
          values: [limit, owner, lease],
        })
      ).rows,

    /** Writes how tries ended, fenced by owner and dispatch. @returns those written; a missing one was taken over by someone else. */
    conclude: async (items: readonly Conclusion[]): Promise<Concluded[]> =>
      (
        await database.query<Concluded>({
          name: 'ledger-conclude',
          text: CONCLUDE,
          values: [
            items.map((i) => i.id),
            items.map((i) => i.dispatch),
            items.map((i) => completedCodes[i.state]),
            items.map((i) => i.charged),
            items.map((i) => i.unknowns),
            items.map((i) => i.dueAt),
            items.map((i) => i.payload),
            items.map((i) => i.event),
            owner,
          ],
        })
      ).rows,

    /**
     * Gives back claims that were never tried: due in `delayMs`, for any courier.
     * A dispatch of null stands for whatever this owner has claimed.
     */
    release: async (
      items: readonly { id: string; dispatch: number | null; payload: string }[],
      delayMs: number,
    ): Promise<void> => {
      await database.query({
        name: 'ledger-release',
        text: RELEASE,
        values: [
          items.map((i) => i.id),
          items.map((i) => i.dispatch),
          items.map((i) => i.payload),
          owner,
          `${delayMs} ms`,
        ],
      })
    },

    /** Forgets published events. */
    forgetEvents: async (outboxIds: readonly number[]): Promise<void> => {
      await database.query({
        name: 'ledger-forget',
        text: 'delete from courier.event_outbox where id = any($1::bigint[])',
        values: [outboxIds],
      })
    },

    /** Events whose courier did not get to publish them; they stay until forgotten, so two sweepers publish twice, not never. */
    leftoverEvents: async (limit: number): Promise<OutboxEvent[]> =>
      (await database.query<OutboxEvent>({ name: 'ledger-leftovers', text: LEFTOVERS, values: [limit] })).rows,

    heartbeat: async (): Promise<void> => {
      await database.query({
        name: 'ledger-heartbeat',
        text: `insert into courier.member (owner, heartbeat_at) values ($1, clock_timestamp())
               on conflict (owner) do update set heartbeat_at = excluded.heartbeat_at`,
        values: [owner],
      })
    },

    leave: async (): Promise<void> => {
      await database.query({ text: 'delete from courier.member where owner = $1', values: [owner] })
    },

    /** Makes what dead couriers held due at once, and forgets them. @returns how many messages. */
    releaseDead: async (): Promise<number> =>
      (await database.query({ name: 'ledger-dead', text: RELEASE_DEAD })).rowCount,

    /** Creates coming partitions and drops those past `retention`. */
    maintain: async (retention: string): Promise<void> => {
      await database.query({ text: 'select courier.maintain_ledger($1::interval)', values: [retention] })
    },
  }
}

// `distinct on`: a record may come twice in one batch, and one statement cannot touch a row twice.
const CLAIM = `
  insert into courier.ledger as l (message_id, project_id, channel, lane, state, dispatch, owner, lease_until, expires_at)
  select distinct on (i.id) i.id, i.project_id, i.channel, i.lane, 1, 1, $4, now() + $5::interval, i.expires_at
  from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $7::text[], $8::smallint[]) as i (id, project_id, expires_at, channel, lane)
  order by i.id
  on conflict (message_id) do update
    set owner = excluded.owner, lease_until = excluded.lease_until, dispatch = l.dispatch + 1,
        reclaims = l.reclaims + (case when l.owner = excluded.owner and l.lease_until >= now() then 0 else 1 end), updated_at = now()
    where l.state = 1 and not l.handed_over
      and (l.lease_until < now() or (l.owner <> excluded.owner and courier.is_dead(l.owner))
           or (l.owner = excluded.owner and l.message_id = any($6::uuid[])))
  returning l.message_id as id, l.dispatch, l.charged, l.unknowns, l.reclaims`

const LOOK_UP = `
  select message_id as id, state, dispatch, handed_over as "handedOver", event from courier.ledger where message_id = any($1::uuid[])`

const HAND_OVER = `
  insert into courier.ledger as l (message_id, project_id, channel, lane, state, handed_over, due_at, expires_at, payload)
  select distinct on (i.id) i.id, i.project_id, i.channel, i.lane, 2, true, coalesce(i.due_at, now()), i.expires_at, i.payload
  from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::text[], $7::smallint[])
    as i (id, project_id, expires_at, payload, due_at, channel, lane)
  order by i.id
  on conflict (message_id) do update
    set handed_over = true,
        payload = coalesce(l.payload, excluded.payload),
        due_at = coalesce(l.due_at, l.lease_until, excluded.due_at)
    where l.state <> 4
  returning l.message_id as id`

/** The arm `due` holds what is to be taken; one that is being sent lost its courier. */
const TAKE_DUE = `update courier.ledger l
  set state = 1, owner = $2, lease_until = now() + $3::interval, due_at = now() + $3::interval, dispatch = l.dispatch + 1,
      reclaims = l.reclaims + (case when l.state = 1 then 1 else 0 end), updated_at = now()
  from due
  where l.message_id = due.message_id
  returning l.message_id as id, l.dispatch, l.charged, l.unknowns, l.reclaims, l.payload`

// Channels are found by skipping from one to the next in the index, so that the backlog of one is never read for another. The
// candidates are locked in an arm of their own: a limit under an update may otherwise be evaluated again and take too many.
const CLAIM_DUE = `
  with recursive place as (
    (select project_id, channel, lane from courier.ledger where due_at is not null order by project_id, channel, lane limit 1)
    union all
    select n.project_id, n.channel, n.lane from place p cross join lateral (
      select project_id, channel, lane from courier.ledger
      where due_at is not null and (project_id, channel, lane) > (p.project_id, p.channel, p.lane)
      order by project_id, channel, lane limit 1
    ) n
  ), share as (
    select p.*, coalesce(own.most, other.most, $1) as most, count(*) over () as places
    from place p
    left join unnest($4::uuid[], $5::text[], $6::int[]) as own (project_id, channel, most) using (project_id, channel)
    left join unnest($7::text[], $8::int[]) as other (channel, most) using (channel)
  ), candidate as materialized (
    select d.message_id, s.lane, d.turn from share s cross join lateral (
      select l.message_id, row_number() over () as turn from (
        select message_id from courier.ledger
        where project_id = s.project_id and channel = s.channel and lane = s.lane and due_at <= now() and due_at is not null
        order by due_at
        limit least(s.most, greatest(8, $1 / s.places))
        for update skip locked
      ) l
    ) d
    where s.most > 0
  ), due as materialized (
    select message_id from candidate order by lane, turn limit $1
  )
  ${TAKE_DUE}`

const CLAIM_EXPIRED = `
  with due as materialized (
    select message_id from courier.ledger
    where due_at is not null and expires_at <= now() and (state <> 1 or due_at <= now())
    order by expires_at
    limit $1
    for update skip locked
  )
  ${TAKE_DUE}`

const CONCLUDE = `
  with item as (
    select * from unnest($1::uuid[], $2::int[], $3::smallint[], $4::int[], $5::smallint[], $6::timestamptz[], $7::text[], $8::text[])
      as i (id, dispatch, state, charged, unknowns, due_at, payload, event)
  ), concluded as (
    update courier.ledger l
    set state = i.state, charged = i.charged, unknowns = i.unknowns, due_at = i.due_at, event = i.event,
        handed_over = l.handed_over or i.state <> 4,
        payload = case when i.state = 4 then null else coalesce(l.payload, i.payload) end,
        owner = null, lease_until = null, updated_at = now()
    from item i
    where l.message_id = i.id and l.dispatch = i.dispatch and l.owner = $9 and l.state = 1
    returning l.message_id, l.dispatch, l.handed_over, l.event
  ), recorded as (
    insert into courier.event_outbox (message_id, event)
    select message_id, event from concluded where handed_over
    returning id, message_id
  )
  select c.message_id as id, c.dispatch, r.id as "outboxId" from concluded c left join recorded r using (message_id)`

const RELEASE = `
  update courier.ledger l
  set state = 2, owner = null, lease_until = null, due_at = now() + $5::interval, handed_over = true, dispatch = l.dispatch - 1,
      payload = coalesce(l.payload, i.payload), updated_at = now()
  from unnest($1::uuid[], $2::int[], $3::text[]) as i (id, dispatch, payload)
  where l.message_id = i.id and l.dispatch = coalesce(i.dispatch, l.dispatch) and l.owner = $4 and l.state = 1`

const LEFTOVERS = `
  select id as "outboxId", event from courier.event_outbox where created_at < now() - interval '5 s' order by id limit $1`

// Only what is not due yet: freed again by every courier's every heartbeat, a message would fall ever further behind.
const RELEASE_DEAD = `
  with dead as materialized (
    select m.owner from courier.member m where m.heartbeat_at < now() - interval '15 s' and courier.is_dead(m.owner)
  ), freed as (
    update courier.ledger l set due_at = now(), lease_until = now()
    from dead where l.owner = dead.owner and l.state = 1 and l.due_at > now()
    returning l.message_id
  ), forgotten as (
    delete from courier.member m using dead
    where m.owner = dead.owner and m.heartbeat_at < now() - interval '1 hour'
  )
  select message_id from freed`
