/** What a server offers in its reply to EHLO. */

export interface Capabilities {
  readonly starttls: boolean
  readonly pipelining: boolean
  readonly smtputf8: boolean
  readonly hasSize: boolean
  /** Largest mail; undefined where the server names no limit. */
  readonly sizeLimit: number | undefined
  /** AUTH mechanisms, upper case. */
  readonly mechanisms: readonly string[]
}

export const NO_CAPABILITIES: Capabilities = capabilitiesOf([])

/** Reads the lines after the first. 8BITMIME does not matter: we send 7 bits, except where SMTPUTF8 brings it along (RFC 6531 3.1). */
export function capabilitiesOf(lines: readonly string[]): Capabilities {
  const offered = new Map<string, string>()
  // Old servers write AUTH=LOGIN PLAIN.
  for (const line of lines) {
    const [, keyword = '', parameters = ''] = /^([A-Za-z0-9-]+)[ =]?(.*)$/.exec(line) ?? []
    const name = keyword.toUpperCase()
    offered.set(name, `${offered.get(name) ?? ''} ${parameters}`.trim())
  }
  const size = Number(offered.get('SIZE') ?? 0)
  return {
    starttls: offered.has('STARTTLS'),
    pipelining: offered.has('PIPELINING'),
    smtputf8: offered.has('SMTPUTF8'),
    hasSize: offered.has('SIZE'),
    sizeLimit: size > 0 ? size : undefined,
    mechanisms: [...new Set((offered.get('AUTH') ?? '').toUpperCase().split(/\s+/).filter(Boolean))],
  }
}
