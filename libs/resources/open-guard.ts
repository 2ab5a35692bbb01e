/**
 * Keeps connections away from private networks, whoever wrote the address and in whatever spelling. Two doors lead out and both are
 * guarded: an IP literal is never looked up, so it is checked by itself; a name is looked up here, once, and what was checked is what
 * is connected to, so that a name server which changes its mind changes nothing.
 */
import { lookup as lookupByDns } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { openExceptionUrls } from './exception-urls.ts'
import { isPublicAddress } from './public-address.ts'

/** The address is not allowed. The message names the switch, never the address behind a name. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused'
  readonly code = 'ADDRESS_REFUSED'
}

export interface AddressGuard {
  /** @throws AddressRefused. Meant for IP literals, in any form that `net.isIP` takes. */
  readonly checkAddress: (address: string) => void
  /** For `net.connect`, `tls.connect` and undici: fails with AddressRefused where any of a name's addresses is not allowed. */
  readonly lookup: LookupFunction
}

export interface Guard extends AddressGuard {
  /** The guard for one target: none where the URL is an exception. */
  readonly forUrl: (url: string) => AddressGuard
}

export interface GuardOptions {
  /** Off: everything is allowed, also what Ory goes on to refuse then, such as 100.64.0.0/10. */
  readonly disallowPrivate: boolean
  /** URLs that are allowed all the same; `*` stands for one part of host or path. */
  readonly exceptionUrls?: readonly string[]
  /** The switch, for messages. */
  readonly setting?: string
  /** How names become addresses. */
  readonly resolve?: LookupFunction
}

export function openGuard(options: GuardOptions): Guard {
  const { disallowPrivate, exceptionUrls = [], resolve = lookupByDns as LookupFunction } = options
  const { setting = 'clients.http.disallow_private_ip_ranges' } = options
  const open: AddressGuard = { checkAddress: () => undefined, lookup: resolve }
  if (!disallowPrivate) return { ...open, forUrl: () => open }

  const closed = closedGuard(resolve, setting)
  const isException = openExceptionUrls(exceptionUrls)
  return { ...closed, forUrl: (url) => (isException(url) ? open : closed) }
}

function closedGuard(resolve: LookupFunction, setting: string): AddressGuard {
  const remedy = `${setting} allows public addresses only`
  return {
    checkAddress: (address) => {
      if (!isPublicAddress(address)) throw new AddressRefused(`no route to host: ${remedy}`)
    },
    lookup: (hostname, options, callback) => {
      resolve(hostname, { ...options, all: true }, (error, found) => {
        if (error !== null) return callback(error, '')
        const addresses = Array.isArray(found) ? found : []
        if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address))) {
          return callback(new AddressRefused(`no such host: ${remedy}`), '')
        }
        if (options.all === true) return callback(null, addresses)
        callback(null, addresses[0]!.address, addresses[0]!.family)
      })
    },
  }
}
