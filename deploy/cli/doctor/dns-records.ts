/** TXT records, by the servers of POSTRIDER_DNS or those of this machine. */
import { Resolver } from 'node:dns/promises'

/** @returns each record as one text; none where the name or its records do not exist. @throws where no server answers */
export type ReadTxt = (name: string) => Promise<string[]>

const TIMEOUT_MS = 2_000
const NOTHING = new Set(['ENOTFOUND', 'ENODATA'])

/** @param servers `ip`, `ip:port` or `[ip]:port`, with commas between; empty for those of this machine */
export function openTxtReader(servers: string): ReadTxt {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 2 })
  if (servers !== '') resolver.setServers(servers.split(',').map((server) => server.trim()))
  return async (name) => {
    try {
      return (await resolver.resolveTxt(name)).map((parts) => parts.join(''))
    } catch (error) {
      if (error instanceof Error && 'code' in error && NOTHING.has(String(error.code))) return []
      throw error
    }
  }
}
