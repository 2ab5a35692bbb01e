/** Slows down who tries keys: counted per client in memory, each console by itself, forgotten at restart. */
export interface FailedAttempts {
  /** @returns ms to wait before this client may try another key; 0 when it may now */
  readonly waitMs: (client: string, credential: string) => number
  readonly failed: (client: string) => void
  /** Remembers what let somebody in: behind a proxy many share one address, and the errors of one must not shut out the others. */
  readonly passed: (credential: string) => void
}

export interface AttemptLimit {
  readonly attempts: number
  readonly windowMs: number
}

/** Beyond, the oldest are forgotten rather than the memory filled. */
const MOST_REMEMBERED = 10_000

/** @param now in ms */
export function openFailedAttempts({ attempts, windowMs }: AttemptLimit, now: () => number = Date.now): FailedAttempts {
  const windows = new Map<string, { count: number; readonly endsAtMs: number }>()
  const good = new Map<string, true>()
  return {
    waitMs: (client, credential) => {
      if (good.has(credential)) return 0
      const window = windows.get(client)
      return window === undefined || window.count < attempts ? 0 : Math.max(0, window.endsAtMs - now())
    },
    failed: (client) => {
      const window = windows.get(client)
      if (window !== undefined && window.endsAtMs > now()) window.count++
      else remember(windows, client, { count: 1, endsAtMs: now() + windowMs })
    },
    passed: (credential) => {
      if (!good.has(credential)) remember(good, credential, true)
    },
  }
}

/** The key goes to the end, so that the oldest stands first. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key)
  const oldest = map.size >= MOST_REMEMBERED ? map.keys().next().value : undefined
  if (oldest !== undefined) map.delete(oldest)
  map.set(key, value)
}
