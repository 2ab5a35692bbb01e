/** How much waits in the ledger, by channel. Every courier tells of the whole ledger: take the largest, not the sum. */
import type { Meter } from '@opentelemetry/api'
import type { Database } from '#libs/database'
import { PLACES } from './ledger-statements.ts'

export interface ChannelBacklog {
  readonly channel: string
  /** Messages that wait for their next attempt, counted up to 10,000 per project, channel and lane. */
  readonly pending: number
  /** Of those, for how long the longest has been due, s; 0 where none is. */
  readonly overdueS: number
  /** Messages that wait for an operator. */
  readonly held: number
}

const BACKLOG = `
  ${PLACES}
  select p.channel, sum(b.pending)::float8 as pending, sum(b.held)::float8 as held,
    coalesce(greatest(0, extract(epoch from now() - min(b.oldest))), 0)::float8 as "overdueS"
  from place p cross join lateral (
    select count(*) filter (where state <> 3) as pending, count(*) filter (where state = 3) as held,
      min(due_at) filter (where state <> 3) as oldest
    from (
      select state, due_at from courier.ledger
      where project_id = p.project_id and channel = p.channel and lane = p.lane and due_at is not null
      order by due_at limit 10000
    ) i
  ) b
  group by p.channel`

export async function measureLedger(database: Pick<Database, 'query'>): Promise<ChannelBacklog[]> {
  return (await database.query<ChannelBacklog>({ name: 'ledger-backlog', text: BACKLOG })).rows
}

/** @returns what measures, to be called every quarter of a minute or so */
export function observeLedger(meter: Meter, database: Pick<Database, 'query'>): () => Promise<void> {
  const known = new Map<string, ChannelBacklog>()
  const gauges = [
    ['courier.retry.pending', '{message}', 'Messages that wait for their next attempt', 'pending'],
    ['courier.retry.oldest_overdue_age', 's', 'How long the longest of them has been due', 'overdueS'],
    ['courier.messages.held', '{message}', 'Messages that wait for an operator', 'held'],
  ] as const
  for (const [name, unit, description, field] of gauges) {
    meter.createObservableGauge(name, { unit, description }).addCallback((result) => {
      for (const backlog of known.values()) result.observe(backlog[field], { channel: backlog.channel })
    })
  }
  return async () => {
    const found = await measureLedger(database)
    // What has nothing any more says so, rather than nothing.
    for (const channel of ['email', ...known.keys()]) known.set(channel, { channel, pending: 0, overdueS: 0, held: 0 })
    for (const backlog of found) known.set(backlog.channel, backlog)
  }
}
