/** Gives every name one address, so that a test can connect to any host that a URI names. */
import type { LookupFunction } from 'node:net'
import { type AddressGuard, openGuard } from '#libs/resources'

export function namesAt(address: string): AddressGuard {
  return openGuard({ disallowPrivate: false, resolve: resolving([address]) })
}

/** Answers with the first list of addresses, then with the second, and so on; the last repeats. */
export function resolving(...answers: readonly (readonly string[])[]): LookupFunction {
  let asked = 0
  return (_hostname, options, callback) => {
    const addresses = answers[Math.min(asked++, answers.length - 1)] ?? []
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    if (options.all === true) callback(null, found)
    else callback(null, found[0]?.address ?? '', found[0]?.family ?? 4)
  }
}
