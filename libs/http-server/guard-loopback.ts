import { CodedError } from '#libs/errors'

/** All of 127/8, which stays on the machine (RFC 1122, 3.2.1.3). */
const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|::1|\[::1\])$/

/** Whether an address or a name means this machine alone; `0.0.0.0` and `::` do not. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

/**
 * On loopback no key is asked for, so a page in the user's browser must not reach the API: neither through a name that it points
 * to 127.0.0.1 (DNS rebinding shows in Host) nor across sites (shows in Origin).
 * @throws REQUEST_INVALID
 */
export function checkLoopbackRequest(host: string | undefined, origin: string | undefined): void {
  if (!isLoopback(hostname(host ?? '')))
    throw new CodedError('REQUEST_INVALID', 'Host: expected 127.0.0.1 or localhost, since no key is needed here')
  const site = origin === undefined ? undefined : URL.parse(origin)
  if (site !== undefined && !isLoopback(site?.hostname ?? ''))
    throw new CodedError('REQUEST_INVALID', 'Origin: requests of other sites are refused')
}

function hostname(host: string): string {
  return host.replace(/:\d+$/, '').toLowerCase()
}
