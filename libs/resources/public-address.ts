/** Which IP addresses belong to the public internet: the special-purpose registries of IANA (RFC 6890), as Ory applies them. */
import { BlockList, isIP } from 'node:net'

const NOT_PUBLIC_V4 = [
  ['0.0.0.0', 8], // this host: connects to loopback
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // carrier-grade NAT
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // link-local, among them the metadata services of clouds
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const

/** Within the global range: tunnels that carry an IPv4 address of anyone's choice, documentation, infrastructure. */
const NOT_PUBLIC_V6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
] as const

const notPublic = new BlockList()
for (const [network, prefix] of NOT_PUBLIC_V4) notPublic.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of NOT_PUBLIC_V6) notPublic.addSubnet(network, prefix, 'ipv6')
const globalV6 = new BlockList()
globalV6.addSubnet('2000::', 3, 'ipv6')
const mappedV4 = new BlockList()
mappedV4.addSubnet('::ffff:0:0', 96, 'ipv6')

/** @param address as `net.isIP` takes it; anything else is not public */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !notPublic.check(address, 'ipv4')
    case 6: {
      const bare = address.replace(/%.*$/, '')
      // The list holds ::ffff:127.0.0.1 for the 127.0.0.1 that it is.
      if (notPublic.check(bare, 'ipv6')) return false
      return mappedV4.check(bare, 'ipv6') || globalV6.check(bare, 'ipv6')
    }
    default:
      return false
  }
}
