/** Loads what a URI of the configuration stands for, and keeps it for a while. */
import { CodedError } from '#libs/errors'
import { decodeBase64 } from './decode-base64.ts'
import { fetchResource } from './fetch-resource.ts'
import type { Guard } from './open-guard.ts'
import { readResourceFile } from './read-file.ts'

export interface ResourceOptions {
  /** Asked before every connection. */
  readonly guard: Guard
  /** How long a fetched resource is good. Default 5 minutes. */
  readonly webTtlMs?: number
  /** How long a file is good. Default 5 s. */
  readonly fileTtlMs?: number
  /** For one fetch with all its tries. Default 30 s. */
  readonly timeoutMs?: number
  readonly retryDelayMs?: number
  /** Default 1 MiB. */
  readonly maxBytes?: number
  readonly now?: () => number
}

export interface Resources {
  /**
   * The bytes behind `base64://`, `file://`, `http://` or `https://`. Concurrent callers share one load. Where a new copy cannot be had,
   * the last one serves on: an outage of the web server that holds a template is no outage of mail.
   * @throws CONFIG_INVALID for a URI that can never work; RESOURCE_UNAVAILABLE where there is no copy at all
   */
  readonly load: (uri: string) => Promise<Buffer>
}

interface Copy {
  readonly bytes: Promise<Buffer>
  /** Without end while it is still being loaded. */
  goodUntilMs: number
}

/** Mail waits no longer for a new copy while there is an old one. */
const REFRESH_TIMEOUT_MS = 3_000
/** Without a new copy the next caller after this time tries again. */
const STALE_MS = 30_000
/** URIs come from configurations, so there are few; old revisions leave theirs behind. */
const MAX_COPIES = 1_000

export function openResources(options: ResourceOptions): Resources {
  const { guard, webTtlMs = 300_000, fileTtlMs = 5_000, now = Date.now } = options
  const { timeoutMs = 30_000, retryDelayMs = 1_000, maxBytes = 1024 * 1024 } = options
  const copies = new Map<string, Copy>()

  function kept(uri: string, ttlMs: number, read: (timeoutMs: number) => Promise<Buffer>): Promise<Buffer> {
    const last = copies.get(uri)
    if (last !== undefined && now() < last.goodUntilMs) return last.bytes
    const reading = read(last === undefined ? timeoutMs : Math.min(timeoutMs, REFRESH_TIMEOUT_MS))
    const bytes = reading.catch((error) => {
      if (last === undefined) throw error
      return last.bytes
    })
    const copy: Copy = { bytes, goodUntilMs: Number.POSITIVE_INFINITY }
    keep(uri, copy)
    reading.then(
      () => {
        copy.goodUntilMs = now() + ttlMs
      },
      () => {
        copy.goodUntilMs = now() + Math.min(STALE_MS, ttlMs)
        if (last === undefined) copies.delete(uri)
      },
    )
    return bytes
  }

  function keep(uri: string, copy: Copy): void {
    copies.delete(uri)
    copies.set(uri, copy)
    if (copies.size > MAX_COPIES) copies.delete(copies.keys().next().value!)
  }

  return {
    load: async (uri) => {
      const scheme = /^([a-z0-9+.-]+):\/\//i.exec(uri)?.[1]?.toLowerCase()
      switch (scheme) {
        case 'base64':
          return decodeBase64(uri)
        case 'file':
          return kept(uri, fileTtlMs, () => readResourceFile(uri, maxBytes))
        case 'http':
        case 'https':
          return kept(uri, webTtlMs, (limitMs) =>
            fetchResource(uri, guard, { timeoutMs: limitMs, retryDelayMs, maxBytes }),
          )
        default:
          throw new CodedError(
            'CONFIG_INVALID',
            `${unknown(scheme)}: allowed are http://, https://, file:// and base64://`,
          )
      }
    },
  }
}

function unknown(scheme: string | undefined): string {
  return scheme === undefined ? 'a URI without a scheme' : `unknown scheme ${scheme}://`
}
