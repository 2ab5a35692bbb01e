import { isTransient } from '#libs/database'
import { messageOf } from '#libs/errors'
import type { Logger } from '#libs/telemetry'

/**
 * Runs `write` over a batch; where it fails for a reason of its own, over its halves, until the culprit stands alone and is left out.
 * @throws when the database is away: then nothing is wrong with the batch.
 */
export async function inHalves<Item, Result>(
  items: readonly Item[],
  write: (items: readonly Item[]) => Promise<Result[]>,
  log: Logger,
): Promise<Result[]> {
  try {
    return await write(items)
  } catch (error) {
    if (isTransient(error)) throw error
    if (items.length === 1) {
      log.error({ reason: messageOf(error) }, 'row refused by the database and left out of its batch')
      return []
    }
    const middle = items.length >> 1
    const left = await inHalves(items.slice(0, middle), write, log)
    return left.concat(await inHalves(items.slice(middle), write, log))
  }
}
