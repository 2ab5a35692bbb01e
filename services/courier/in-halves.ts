import { isTransient } from '#libs/database'
import { messageOf } from '#libs/errors'
import type { Logger } from '#libs/telemetry'

/**
 * Runs `write` over a batch; where it fails for a reason of its own, over its halves, until the culprit stands alone and is left out.
 * @param fieldsOf names an item in the log
 * @throws when the database is away: then nothing is wrong with the batch.
 */
export async function inHalves<Item, Result>(
  items: readonly Item[],
  write: (items: readonly Item[]) => Promise<Result[]>,
  log: Logger,
  fieldsOf: (item: Item) => Record<string, unknown> = () => ({}),
): Promise<Result[]> {
  try {
    return await write(items)
  } catch (error) {
    if (isTransient(error)) throw error
    if (items.length === 1) {
      const [culprit] = items.map(fieldsOf)
      log.error({ ...culprit, reason: messageOf(error) }, 'row refused by the database and left out of its batch')
      return []
    }
    const middle = items.length >> 1
    const left = await inHalves(items.slice(0, middle), write, log, fieldsOf)
    return left.concat(await inHalves(items.slice(middle), write, log, fieldsOf))
  }
}
