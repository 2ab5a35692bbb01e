import type { Database } from '#libs/database'
import { messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import type { Logger } from '#libs/telemetry'
import { findUnaccounted } from './unaccounted.ts'

export interface WatchPorts {
  readonly database: Pick<Database, 'query'>
  readonly log: Logger
  /** Told the number of messages, after each look. */
  readonly onFound: (count: number) => void
  readonly stopping: AbortSignal
}

const EVERY_MS = 60_000
/** A look may take a fiftieth of the time. */
const SHARE = 50

/** Looks once a minute until stopped; names what it finds whenever it is more or less than before. */
export async function watchUnaccounted({ database, log, onFound, stopping }: WatchPorts): Promise<void> {
  let known = 0
  while (!stopping.aborted) {
    const startedMs = performance.now()
    try {
      const { count, ids } = await findUnaccounted(database)
      onFound(count)
      if (count > 0 && count !== known) log.error({ messages: count, message_ids: ids }, 'messages without an end')
      known = count
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'not looked for messages without an end')
    }
    await sleep(Math.max(EVERY_MS, SHARE * (performance.now() - startedMs)), stopping)
  }
}
