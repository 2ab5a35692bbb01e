/** Keeps what a source gave for a while; where a new copy cannot be had, the last one serves on. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'

export interface KeptCopy<Value> {
  /** The copy as long as it is good, else undefined. */
  readonly fresh: () => Value | undefined
  /**
   * The copy, read anew where it is not good any more. Callers share one read. After `patienceMs` the last copy is given while the
   * read goes on.
   * @throws what the read threw where there is no copy at all; the next 10 s throw the same without another read
   */
  readonly load: (patienceMs?: number) => Promise<Value>
}

export interface KeepOptions {
  readonly ttlMs: number
  /** Milliseconds on a clock of any origin. */
  readonly now: () => number
}

const RETRY_MS = 10_000

export function keepCopy<Value extends object>(
  read: () => Promise<Value>,
  { ttlMs, now }: KeepOptions,
): KeptCopy<Value> {
  let copy: Value | undefined
  let goodUntilMs = Number.NEGATIVE_INFINITY
  let failed: { readonly error: unknown; readonly untilMs: number } | undefined
  let reading: Promise<Value> | undefined

  async function readAnew(): Promise<Value> {
    try {
      const value = await read()
      // Unchanged content keeps its identity, by which callers know what they have seen.
      copy = isDeepStrictEqual(copy, value) && copy !== undefined ? copy : value
      goodUntilMs = now() + ttlMs
      failed = undefined
      return copy
    } catch (error) {
      const untilMs = now() + Math.min(RETRY_MS, ttlMs)
      if (copy === undefined) {
        failed = { error, untilMs }
        throw error
      }
      goodUntilMs = untilMs
      return copy
    } finally {
      reading = undefined
    }
  }

  const fresh = (): Value | undefined => (now() < goodUntilMs ? copy : undefined)
  return {
    fresh,
    load: async (patienceMs) => {
      const known = fresh()
      if (known !== undefined) return known
      if (failed !== undefined && now() < failed.untilMs) throw failed.error
      reading ??= readAnew()
      return patienceMs === undefined ? await reading : await within(reading, patienceMs, () => copy)
    },
  }
}

async function within<Value>(
  reading: Promise<Value>,
  patienceMs: number,
  lastCopy: () => Value | undefined,
): Promise<Value> {
  using timer = abortable()
  const late = sleep(patienceMs, undefined, { signal: timer.signal }).then(() => {
    const copy = lastCopy()
    if (copy === undefined) throw new Error(`not loaded within ${patienceMs} ms`)
    return copy
  })
  late.catch(() => undefined) // whichever is second must not be an unhandled rejection
  reading.catch(() => undefined)
  return await Promise.race([reading, late])
}

function abortable(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  return { signal: controller.signal, [Symbol.dispose]: () => controller.abort() }
}
