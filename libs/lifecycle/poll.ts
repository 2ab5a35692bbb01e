import { setTimeout as delay } from 'node:timers/promises'

const LAST_PAUSE_MS = 30_000

/** Resolves after `ms`, or as soon as `signal` aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return
  await delay(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    if (signal?.aborted !== true) throw error
  })
}

/** Repeats `task` until `stopping`: at once after work, `idleMs` after none, doubling up to 30 s after throws. */
export async function poll(
  task: () => Promise<number>,
  stopping: AbortSignal,
  onError: (error: unknown) => void,
  idleMs: number,
): Promise<void> {
  for (let failures = 0; !stopping.aborted; ) {
    try {
      const handled = await task()
      failures = 0
      if (handled === 0) await sleep(idleMs, stopping)
    } catch (error) {
      onError(error)
      failures += 1
      await sleep(Math.min(LAST_PAUSE_MS, idleMs * 2 ** failures), stopping)
    }
  }
}
