/**
 * The lease ledger: who may send which message, and how each try ended. The only SQL on messages.
 * While `handed_over` is false the uncommitted Kafka offset owns a message (a crash redelivers it); afterwards the ledger
 * does, and any courier takes what is due. Every statement takes a batch; ids go in sorted, so that couriers never deadlock.
 */
import type { Database } from '#libs/database'
import type { Lane } from '#libs/messages'
import { completedCodes, type LedgerState } from './ledger-state.ts'
import {
  CLAIM,
  CLAIM_DUE,
  CLAIM_EXPIRED,
  CONCLUDE,
  HAND_OVER,
  LEFTOVERS,
  LOOK_UP,
  RELEASE,
  RELEASE_DEAD,
} from './ledger-statements.ts'

export interface NewClaim {
  readonly id: string
  readonly projectId: string
  readonly channel: string
  readonly lane: Lane
  readonly expiresAt: Date
  /** What a newer message of the same key makes useless; null where every one counts. */
  readonly supersedeKey: string | null
}

export interface Claimed {
  readonly id: string
  readonly dispatch: number
  readonly charged: number
  readonly unknowns: number
  readonly reclaims: number
}

export interface DueClaim extends Claimed {
  /** A newer message for the same recipient and of the same type has come this far. */
  readonly superseded: boolean
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
            claims.map((c) => c.supersedeKey),
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
            items.map((i) => i.supersedeKey),
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

    /**
     * Events that nobody published: their courier stopped, or they are an operator's. They stay until forgotten and come again
     * after 5 s, to whoever asks first.
     */
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
