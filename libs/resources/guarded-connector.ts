import { isIP } from 'node:net'
import { buildConnector } from 'undici'
import type { AddressGuard } from './open-guard.ts'

/** How undici connects under a guard. `options` go to `net.connect` and `tls.connect`. */
export function guardedConnector(
  guard: AddressGuard,
  options: buildConnector.BuildOptions = {},
): buildConnector.connector {
  const connect = buildConnector({ ...options, lookup: guard.lookup })
  return (target, callback) => {
    const literal = target.hostname.replace(/^\[(.*)\]$/, '$1')
    if (isIP(literal) === 0) return connect(target, callback)
    try {
      guard.checkAddress(literal)
    } catch (error) {
      queueMicrotask(() => callback(error as Error, null))
      return
    }
    connect(target, callback)
  }
}
