/** What a request shows of who asks, and where it comes from. */
import type { FastifyRequest } from 'fastify'
import { isLoopback } from '#libs/http-server'

export const COOKIE = 'postrider_session'
/** A proxy on this machine makes strangers look like neighbours, but most of them say so. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'] as const

export function bearerOf({ headers }: FastifyRequest): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
}

/** Any Authorization counts as a credential, so that a wrong scheme is refused and not taken for nobody. */
export function hasAuthorization({ headers }: FastifyRequest): boolean {
  return headers.authorization !== undefined
}

export function cookieOf({ headers }: FastifyRequest): string | undefined {
  for (const part of (headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2)
    if (name === COOKIE && value) return value
  }
  return undefined
}

/** Whether it was made on this machine, as far as can be seen. HTTP/1.0 is what nginx speaks to servers unless told otherwise. */
export function isFromHere({ headers, socket, raw }: FastifyRequest): boolean {
  const address = socket.remoteAddress?.replace(/^::ffff:/, '') ?? ''
  return isLoopback(address) && raw.httpVersion !== '1.0' && FORWARDED.every((name) => headers[name] === undefined)
}

/**
 * Whether a page of this very origin made it; a browser always says. A cookie travels by itself, so it counts for changes only then.
 * @param publicOrigin under which a proxy shows the console, if it does
 */
export function isSameOrigin({ headers }: FastifyRequest, publicOrigin: string | undefined): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const origin = URL.parse(headers.origin ?? '')
  if (origin === null) return false
  return origin.origin === publicOrigin || origin.host === headers.host?.toLowerCase()
}
