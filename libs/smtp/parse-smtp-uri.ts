/**
 * Reads `courier.smtp.connection_uri` the way Ory's guide means it. Written by hand, because `URL` keeps percent-escapes and
 * changes special characters. An error never repeats any part of the URI: every part may belong to a password.
 */
import { isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'
import { CodedError } from '#libs/errors'

export interface SmtpTarget {
  readonly host: string
  readonly port: number
  /** `starttls` and `tls` are mandatory; `cleartext` stays in clear whatever the server offers. */
  readonly security: 'starttls' | 'tls' | 'cleartext'
  /** Whether the certificate is checked. */
  readonly verify: boolean
  /** The name that the certificate must carry, where it is not the host. */
  readonly serverName?: string
  readonly user?: string
  readonly password?: string
}

const KEY = 'courier.smtp.connection_uri'
const FORM = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/is
const USERINFO = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/
const HOST_PORT = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d*))?$/
const HOST_NAME = /^[\p{L}\p{N}_]([\p{L}\p{N}._-]*[\p{L}\p{N}_.])?$/u
const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const ESCAPE_HINT =
  'percent-encode special characters of user and password, such as / as %2F, ? as %3F, # as %23, % as %25'

/** @throws SMTP_URI_INVALID with what is wrong and what to change, without any part of the URI. */
export function parseSmtpUri(uri: string): SmtpTarget {
  if (uri === '') throw invalid('is missing: set it to a URI such as smtps://user:password@mail.example.org:465/')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\x00-\x20\x7f]/.test(uri)) throw invalid('holds a space, a line end or a control character: remove it')
  const [, scheme = '', authority = '', path = '', query = '', fragment] = FORM.exec(uri) ?? []
  const isTls = scheme.toLowerCase() === 'smtps'
  if (!isTls && scheme.toLowerCase() !== 'smtp') throw invalid('must begin with smtp:// or smtps://')
  // Go reads these as a host without user; the mail would go to a stranger, or nowhere.
  if (fragment !== undefined || (path !== '' && path !== '/') || query.includes('@')) {
    throw invalid(`must end after the port, or go on with /?key=value: ${ESCAPE_HINT}`)
  }
  const at = authority.lastIndexOf('@')
  const credentials = at < 0 ? {} : parseUserinfo(authority.slice(0, at))
  const options = parseQuery(query)
  const isCleartext = !isTls && TRUE.has(options.get('disable_starttls') ?? '')
  const security = isTls ? 'tls' : isCleartext ? 'cleartext' : 'starttls'
  const { host, port } = parseHost(authority.slice(at + 1))
  const serverName = parseServerName(options.get('server_name'))
  return {
    host,
    port: port ?? defaultPort(security, credentials.user !== undefined),
    security,
    verify: !TRUE.has(options.get('skip_ssl_verify') ?? ''),
    ...(serverName !== undefined && { serverName }),
    ...credentials,
  }
}

/** 587 and 465 take submissions; a relay in clear that wants no login listens on 25. */
function defaultPort(security: SmtpTarget['security'], hasUser: boolean): number {
  if (security === 'tls') return 465
  return security === 'cleartext' && !hasUser ? 25 : 587
}

function parseUserinfo(userinfo: string): { user?: string; password?: string } {
  if (!USERINFO.test(userinfo))
    throw invalid(`has a character in user or password that must be escaped: ${ESCAPE_HINT}`)
  const colon = userinfo.indexOf(':')
  const user = unescapePart(colon < 0 ? userinfo : userinfo.slice(0, colon))
  const password = colon < 0 ? '' : unescapePart(userinfo.slice(colon + 1))
  if (user === '' && password === '') return {}
  if (user === '') throw invalid('has a password but no user: write smtp://user:password@host')
  // AUTH PLAIN separates its parts by NUL.
  if (user.includes('\0') || password.includes('\0'))
    throw invalid('has a NUL in user or password: no server takes that')
  return { user, password }
}

/** Percent-decoding of UTF-8 in which `+` stays `+`. */
function unescapePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause
    throw invalid('has a % in user or password that begins no escape: write % as %25')
  }
}

function parseHost(text: string): { host: string; port: number | undefined } {
  const [, literal, name, digits = ''] = HOST_PORT.exec(text) ?? []
  if (literal === undefined && name === undefined) {
    throw invalid(`must have host:port after the user, with a number as port: ${ESCAPE_HINT}`)
  }
  const port = digits === '' ? undefined : Number(digits)
  if (port !== undefined && (port < 1 || port > 65_535)) throw invalid('must have a port from 1 to 65535')
  if (literal !== undefined) {
    if (!isIPv6(literal)) throw invalid('has brackets around something that is no IPv6 address')
    return { host: literal, port }
  }
  if (name === '') throw invalid('has no host: write smtp://user:password@host:port/')
  const host = HOST_NAME.test(name ?? '') ? domainToASCII(name ?? '') : ''
  if (host === '') throw invalid(`has a host that is neither a name nor an address: ${ESCAPE_HINT}`)
  return { host, port }
}

/** The first value of each key, as Go's `Query().Get`. */
function parseQuery(query: string): Map<string, string> {
  const options = new Map<string, string>()
  for (const [key, value] of new URLSearchParams(query)) if (!options.has(key)) options.set(key, value)
  return options
}

function parseServerName(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined
  const name = HOST_NAME.test(value) ? domainToASCII(value) : ''
  if (name === '') throw invalid('has a server_name that is no host name')
  return name
}

function invalid(problem: string): CodedError {
  return new CodedError('SMTP_URI_INVALID', `${KEY} ${problem}`)
}
