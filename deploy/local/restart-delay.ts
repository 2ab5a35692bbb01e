/** How long to wait before a part that died is started again. */
const FIRST_MS = 500
const LAST_MS = 30_000
/** A part that lived so long did start; its next death is a new story. */
const SETTLED_MS = 60_000

/** `next(livedMs)`: 0.5 s, doubling to 30 s while each life is under a minute. */
export function createRestartDelay(): { next(livedMs: number): number } {
  let delayMs = FIRST_MS
  return {
    next(livedMs) {
      if (livedMs >= SETTLED_MS) delayMs = FIRST_MS
      const now = delayMs
      delayMs = Math.min(delayMs * 2, LAST_MS)
      return now
    },
  }
}
