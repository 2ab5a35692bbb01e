import { setTimeout as delay } from 'node:timers/promises'
import type { Tx } from '#libs/database'

/** The channel that relays listen on. A notification is a hint: they poll as well. */
export const WAKE_CHANNEL = 'outbox_wake'

/** NOTIFY takes a lock over all databases of a server at commit, so that its rate is bounded. */
const AT_MOST_EVERY_MS = 20

/** @returns a function that notifies at once, or together with all who ask within the next 20 ms */
export function openWake(): (database: Tx) => Promise<void> {
  let lastAtMs = Number.NEGATIVE_INFINITY
  let upcoming: Promise<void> | undefined

  async function notify(database: Tx): Promise<void> {
    lastAtMs = performance.now()
    await database.query({ name: 'outbox-wake', text: `select pg_notify('${WAKE_CHANNEL}', '')` })
  }

  async function notifyLater(database: Tx, waitMs: number): Promise<void> {
    await delay(waitMs)
    upcoming = undefined
    await notify(database)
  }

  return (database) => {
    if (upcoming !== undefined) return upcoming
    const waitMs = lastAtMs + AT_MOST_EVERY_MS - performance.now()
    if (waitMs <= 0) return notify(database)
    upcoming = notifyLater(database, waitMs)
    return upcoming
  }
}
