/** Lease ledgers on a database of their own, and ways to let time pass in it. */
import type { TestContext } from 'node:test'
import { type Database, openDatabase } from '#libs/database'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import {
  type Conclusion,
  type LeaseLedger,
  type NewClaim,
  openLeaseLedger,
} from '../../../services/courier/lease-ledger.ts'
import { testDatabase } from '../../support/servers.ts'
import { LEASE_MS, newId } from './deliveries.ts'

export interface Ledgers {
  readonly url: string
  readonly database: Database
  readonly ledger: (owner: string) => LeaseLedger
  readonly row: (id: string) => Promise<LedgerRow | undefined>
  readonly outbox: () => Promise<{ message_id: string; event: string }[]>
  /** Lets the lease and the due time of a message pass. */
  readonly elapse: (id: string) => Promise<void>
  /** Lets `owner` be silent for `seconds`. */
  readonly silence: (owner: string, seconds: number) => Promise<void>
}

export interface LedgerRow {
  readonly state: number
  readonly dispatch: number
  readonly charged: number
  readonly unknowns: number
  readonly reclaims: number
  readonly handed_over: boolean
  readonly owner: string | null
  readonly lease_until: Date | null
  readonly due_at: Date | null
  readonly payload: string | null
  readonly event: string | null
  /** The partition that holds it. */
  readonly place: string
}

export async function openLedgers(t: TestContext): Promise<Ledgers> {
  const { url } = await testDatabase(t)
  const database = openDatabase({ url, applicationName: 'test' })
  t.after(async () => database[Symbol.asyncDispose]())
  const run = (text: string, ...values: unknown[]) => database.query({ text, values })
  return {
    url,
    database,
    ledger: (owner) => openLeaseLedger(database, owner, LEASE_MS),
    row: async (id) => {
      const { rows } = await run(
        'select *, tableoid::regclass::text as place from courier.ledger where message_id = $1',
        id,
      )
      return rows[0] as unknown as LedgerRow | undefined
    },
    outbox: async () =>
      (
        await database.query<{ message_id: string; event: string }>({
          text: 'select * from courier.event_outbox order by id',
        })
      ).rows,
    elapse: async (id) => {
      await run(
        `update courier.ledger set lease_until = lease_until - interval '1 day', due_at = due_at - interval '1 day'
         where message_id = $1`,
        id,
      )
    },
    silence: async (owner, seconds) => {
      await run(
        `update courier.member set heartbeat_at = heartbeat_at - $2 * interval '1 s' where owner = $1`,
        owner,
        seconds,
      )
    },
  }
}

export const DAY_MS = 86_400_000
export const EXPIRES_AT = new Date(Date.now() + DAY_MS)

export const claimOf = (id: string): NewClaim => ({
  id,
  projectId: DEFAULT_PROJECT_ID,
  channel: 'email',
  lane: 'urgent',
  supersedeKey: null,
  expiresAt: EXPIRES_AT,
})
export const handOverOf = (id: string) => ({ ...claimOf(id), payload: `payload of ${id}` })

export function conclusion(id: string, more: Partial<Conclusion> = {}): Conclusion {
  const end = { state: 'done' as const, dueAt: null, payload: null, event: `{"of":"${id}"}` }
  return { id, dispatch: 1, charged: 1, unknowns: 0, ...end, ...more }
}

/** Two couriers that live. */
export async function openTwoLedgers(t: TestContext) {
  const ledgers = await openLedgers(t)
  const [a, b] = [ledgers.ledger('a'), ledgers.ledger('b')]
  await a.heartbeat()
  await b.heartbeat()
  return { ...ledgers, a, b, id: newId() }
}

/** A message that the ledger owns and that waits since before now. */
export async function openDueLedgers(t: TestContext) {
  const found = await openTwoLedgers(t)
  await found.a.handOver([handOverOf(found.id)])
  return found
}
