import type { Database } from '#libs/database'
import { messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import type { Logger } from '#libs/telemetry'
import { countUnderWay } from './source-repository.ts'

const POLL_MS = 500
const TELL_MS = 10_000

/**
 * Resolves when no message of the source is under way any more: none of its rows is left in processing.
 * @throws when it is stopped before
 */
export async function awaitDrained(database: Database, log: Logger, stopping: AbortSignal): Promise<void> {
  let toldAtMs = Number.NEGATIVE_INFINITY
  while (!stopping.aborted) {
    const left = await countPatiently(database, log)
    if (left === 0) return log.info('nothing is under way any more')
    if (left !== undefined && performance.now() - toldAtMs >= TELL_MS) {
      toldAtMs = performance.now()
      log.info({ rows: left }, 'waiting for messages under way')
    }
    await sleep(POLL_MS, stopping)
  }
  throw new Error('stopped before everything under way had ended: start it again with --drain')
}

/** @returns undefined while the database is away */
async function countPatiently(database: Database, log: Logger): Promise<number | undefined> {
  try {
    return await countUnderWay(database)
  } catch (error) {
    log.warn({ reason: messageOf(error) }, 'what is under way not counted, trying again')
    return undefined
  }
}
