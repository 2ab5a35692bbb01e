/** Requests per client and minute, counted in memory: each instance by itself, forgotten at restart. */
import { isIPv6 } from 'node:net'

export interface ClientLimit {
  readonly requests: number
  readonly windowMs: number
  /** @default 50000; beyond, the oldest windows are forgotten rather than the memory filled */
  readonly maxClients?: number
}

export interface Throttle {
  /** Counts one request. @returns 0 when it may go on, else the ms to wait. */
  readonly take: (ip: string, nowMs: number) => number
}

/** A window per client starts with its first request and ends `windowMs` later. */
export function openThrottle({ requests, windowMs, maxClients = 50_000 }: ClientLimit): Throttle {
  // In order of their starts, so that the oldest stands first.
  const windows = new Map<string, { count: number; readonly endsAtMs: number }>()
  return {
    take: (ip, nowMs) => {
      const client = clientOf(ip)
      const window = windows.get(client)
      if (window !== undefined && window.endsAtMs > nowMs) {
        window.count++
        return window.count <= requests ? 0 : window.endsAtMs - nowMs
      }
      windows.delete(client)
      forget(windows, nowMs, maxClients)
      windows.set(client, { count: 1, endsAtMs: nowMs + windowMs })
      return 0
    },
  }
}

/** Drops the ended windows, and the oldest where that leaves no room. */
function forget(windows: Map<string, { readonly endsAtMs: number }>, nowMs: number, maxClients: number): void {
  for (const [client, { endsAtMs }] of windows) {
    if (endsAtMs > nowMs && windows.size < maxClients) return
    windows.delete(client)
  }
}

/** One IPv4 address, or the /64 that an IPv6 host may roam in (RFC 6177). */
function clientOf(ip: string): string {
  if (!isIPv6(ip)) return ip
  const mapped = /^::ffff:([0-9.]+)$/i.exec(ip)
  if (mapped) return mapped[1]!
  const [head = '', tail] = ip.split('::')
  const groups = head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').length
  return [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':')]
    .slice(0, 4)
    .map((group) => Number.parseInt(group || '0', 16).toString(16))
    .join(':')
}
