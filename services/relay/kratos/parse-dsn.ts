/** Kratos' own DSN, as it stands in its configuration, for a client that knows other parameters. */
import { CodedError } from '#libs/errors'

export interface ParsedDsn {
  /** To be tried in this order: a server that speaks no TLS refuses the first and takes the second. */
  readonly urls: readonly string[]
  /** Where the tables are, if not on the user's own path. */
  readonly searchPath: string | undefined
}

/** What the client understands; the others are of Kratos' pool and driver. */
const KNOWN = ['sslcert', 'sslkey', 'sslrootcert', 'host', 'port', 'user', 'password', 'options'] as const

/** Never repeats the DSN, which holds a password. @throws CONFIG_INVALID */
export function parseDsn(dsn: string): ParsedDsn {
  const url = urlOf(dsn)
  const query = new URLSearchParams(url.search)
  const kept = new URLSearchParams()
  for (const name of KNOWN) {
    const value = query.get(name)
    if (value !== null) kept.set(name, value)
  }
  const urls = modesOf(query.get('sslmode') || 'prefer', query.has('sslrootcert')).map((mode) => {
    const params = new URLSearchParams(kept)
    params.set('sslmode', mode)
    url.search = params.toString()
    return url.href
  })
  return { urls, searchPath: query.get('search_path')?.replaceAll(' ', '') }
}

function urlOf(dsn: string): URL {
  const scheme = /^([a-z0-9+]+):/i.exec(dsn)?.[1]?.toLowerCase()
  if (scheme !== 'postgres' && scheme !== 'postgresql')
    throw refused(
      `found ${scheme === undefined ? 'no scheme' : scheme}, allowed postgres; Kratos has to use PostgreSQL`,
    )
  if (!URL.canParse(dsn)) throw refused('found no URL; percent-encode the special characters of user and password')
  return new URL(dsn)
}

function refused(what: string): CodedError {
  return new CodedError('CONFIG_INVALID', `KRATOS_DSN: ${what}`)
}

/** The meaning that libpq and Kratos' driver give to the modes: `require` without a root certificate encrypts and checks nobody. */
function modesOf(mode: string, hasRoot: boolean): string[] {
  const encrypted = hasRoot ? 'require' : 'no-verify'
  switch (mode) {
    case 'disable':
      return ['disable']
    case 'allow':
      return ['disable', encrypted]
    case 'prefer':
      return [encrypted, 'disable']
    case 'require':
      return [encrypted]
    case 'verify-ca':
    case 'verify-full':
      return [mode]
    default:
      throw refused('sslmode: allowed disable, allow, prefer, require, verify-ca, verify-full')
  }
}
