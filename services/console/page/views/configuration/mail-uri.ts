/** SMTP connection URIs as separate fields, and back. */

/** The six ways to secure a connection, as the URI says them. */
export const SECURITY = {
  starttls: { label: 'STARTTLS, certificate verified (recommended)', scheme: 'smtp', option: '' },
  starttls_unverified: { label: 'STARTTLS, any certificate', scheme: 'smtp', option: 'skip_ssl_verify=true' },
  cleartext: { label: 'Cleartext, no encryption', scheme: 'smtp', option: 'disable_starttls=true' },
  tls: { label: 'Implicit TLS, certificate verified', scheme: 'smtps', option: '' },
  tls_unverified: { label: 'Implicit TLS, any certificate', scheme: 'smtps', option: 'skip_ssl_verify=true' },
  tls_named: { label: 'Implicit TLS, certificate of another name', scheme: 'smtps', option: 'server_name' },
} as const

export type Security = keyof typeof SECURITY

export interface MailParts {
  readonly host: string
  readonly port: string
  readonly user: string
  /** Or the mask; empty for none. */
  readonly password: string
  readonly security: Security
  readonly serverName: string
  /** Options that no field shows. */
  readonly others: readonly string[]
}

export const NO_PARTS: MailParts = {
  host: '',
  port: '',
  user: '',
  password: '',
  security: 'starttls',
  serverName: '',
  others: [],
}

const URI = /^(smtps?):\/\/([^/?#]*)\/?(?:\?([^#]*))?$/i
const HOST_PORT = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/
const PORTS: Readonly<Record<string, string>> = { smtp: '587', smtps: '465' }

/** undefined for what no fields can show; so is an empty URI not, which is nothing yet. */
export function parseMailUri(uri: string): MailParts | undefined {
  if (uri === '') return NO_PARTS
  const [, scheme, authority = '', query = ''] = URI.exec(uri) ?? []
  if (scheme === undefined) return undefined
  const at = authority.lastIndexOf('@')
  const [, host, port = ''] = HOST_PORT.exec(authority.slice(at + 1)) ?? []
  if (host === undefined) return undefined
  const userinfo = at < 0 ? '' : authority.slice(0, at)
  const colon = userinfo.indexOf(':')
  return {
    host,
    port,
    user: decoded(colon < 0 ? userinfo : userinfo.slice(0, colon)),
    password: colon < 0 ? '' : decoded(userinfo.slice(colon + 1)),
    ...readOptions(
      scheme.toLowerCase(),
      query.split('&').filter((option) => option !== ''),
    ),
  }
}

function readOptions(
  scheme: string,
  options: readonly string[],
): Pick<MailParts, 'security' | 'serverName' | 'others'> {
  const serverName = options.find((option) => option.startsWith('server_name='))
  const isNamed = scheme === 'smtps' && serverName !== undefined
  const [security] = Object.entries(SECURITY).find(([, { scheme: itsScheme, option }]) => {
    if (itsScheme !== scheme) return false
    return option === 'server_name' ? isNamed : !isNamed && option !== '' && options.includes(option)
  }) ?? [scheme === 'smtps' ? 'tls' : 'starttls']
  const { option } = SECURITY[security as Security]
  return {
    security: security as Security,
    serverName: isNamed ? decoded(serverName.slice('server_name='.length)) : '',
    others: options.filter((other) => other !== option && !(isNamed && other === serverName)),
  }
}

/** Empty where every field is. */
export function printMailUri({ host, port, user, password, security, serverName, others }: MailParts): string {
  if (host === '' && user === '' && password === '') return ''
  const { scheme, option } = SECURITY[security]
  const secret = password === '' ? '' : `:${encodeURIComponent(password)}`
  const userinfo = user === '' && secret === '' ? '' : `${encodeURIComponent(user)}${secret}@`
  const own = option === 'server_name' ? `server_name=${encodeURIComponent(serverName)}` : option
  const options = [own, ...others].filter((each) => each !== '')
  return `${scheme}://${userinfo}${host}${port === '' ? '' : `:${port}`}/${options.length > 0 ? `?${options.join('&')}` : ''}`
}

/** A usual port follows the scheme; one of the user's own stays. */
export function withSecurity(parts: MailParts, security: Security): MailParts {
  const [from, to] = [SECURITY[parts.security].scheme, SECURITY[security].scheme]
  const port = parts.port === '' || parts.port === PORTS[from] ? PORTS[to]! : parts.port
  return { ...parts, security, port }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // not encoded: shown as it stands
  }
}
