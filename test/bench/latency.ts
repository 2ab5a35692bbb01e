/** Commit to accepted, one urgent mail at a time; the sink's clock is this machine's. */
import { openDatabase } from '#libs/database'
import { openSealer } from '#libs/messages'
import { fromDatabaseTx, openOutbox } from '#libs/outbox'
import { waitFor } from '../support/servers.ts'
import type { System } from '../support/system.ts'
import { benchMail } from './bench-mail.ts'

export interface LatencyOptions {
  readonly system: System
  readonly secret: string
  readonly samples: number
  /** The last mails that arrived, with the time of each in epoch ms. */
  readonly arrivals: () => Promise<readonly { readonly messageId: string; readonly at: number }[]>
}

/** @returns ms, ascending */
export async function measureLatency({ system, secret, samples, arrivals }: LatencyOptions): Promise<number[]> {
  await using database = openDatabase({ url: system.databaseUrl, applicationName: 'bench', max: 2 })
  const outbox = openOutbox(openSealer([secret]))
  const committed = new Map<string, number>()
  for (let sample = 0; sample < samples; sample++) {
    const { ids } = await database.transaction((tx) =>
      outbox.enqueue(fromDatabaseTx(tx), [{ ...benchMail(sample), lane: 'urgent' }]),
    )
    committed.set(ids[0]!, performance.timeOrigin + performance.now())
    await outbox.wake(database)
    await new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * 40))
  }
  const accepted = await waitFor(async () => acceptedTimes(committed, await arrivals()), {
    timeoutMs: 30_000,
    message: 'latency mails missing',
  })
  return [...committed].map(([id, at]) => accepted.get(id)! - at).sort((a, b) => a - b)
}

/** @param sorted ascending */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function acceptedTimes(
  wanted: ReadonlyMap<string, number>,
  arrivals: Awaited<ReturnType<LatencyOptions['arrivals']>>,
): Map<string, number> | undefined {
  const found = new Map(arrivals.map(({ messageId, at }) => [messageId.replace(/^</, '').split('@')[0] ?? '', at]))
  return [...wanted.keys()].every((id) => found.has(id)) ? found : undefined
}
