/** URIs with credentials in them: shown without these, and completed again by what is stored. */

/** Stands for every secret. Its characters may stand in any part of a URI. */
export const MASK = '********'

interface Parts {
  readonly scheme: string
  readonly user: string | undefined
  readonly password: string | undefined
  /** With the port, where there is one. */
  readonly host: string
  readonly path: string
  readonly query: readonly string[] | undefined
  readonly fragment: string | undefined
}

const WEB = /^(https?):\/\/([^/?#\\]+)([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/is
/** As the courier reads it: nothing but options follows the port, and none of them has an `@`. */
const MAIL = /^(smtps?):\/\/([^/?#]+)(\/?)(?:\?([^#@]*))?$/is
const OF_NO_SECRET = /^(file|base64):\/\//i
const MAIL_OPTIONS: readonly string[] = ['disable_starttls', 'skip_ssl_verify', 'server_name', 'legacy_ssl']
const HOST_PORT = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/
const MAIL_PORTS: Readonly<Record<string, string>> = { smtp: '587', smtps: '465' }

/**
 * `uri` with the mask for its password, for a user that may be the credential itself, and for what a query or fragment says. The
 * mask alone, where its parts cannot be told apart.
 */
export function maskUri(uri: string): string {
  if (uri === '' || OF_NO_SECRET.test(uri)) return uri
  const parts = split(uri)
  if (parts === undefined) return MASK
  const { scheme, user, password, query, fragment } = parts
  // Some providers take one token as both, or as a user without password.
  const isCredential = user !== '' && (!password || user === password)
  return print({
    ...parts,
    user: user !== undefined && isCredential ? MASK : user,
    password: password && MASK,
    query: query?.map((part) => maskOption(scheme, part)),
    fragment: fragment && MASK,
  })
}

/** @returns `given` with the secrets of `stored` in place of masks; undefined where they do not belong there */
export function restoreUri(given: string, stored: string): string | undefined {
  if (given === maskUri(stored)) return stored
  const [next, last] = [split(given), split(stored)]
  if (next === undefined || last === undefined || !isSameTarget(given, stored)) return undefined
  const keep = (mine: string | undefined, kept: string | undefined) => (mine === MASK ? kept : mine)
  const restored = print({
    ...next,
    user: keep(next.user, last.user),
    password: keep(next.password, last.password),
    query: next.query && restoreQuery(next.query, last.query ?? []),
    fragment: keep(next.fragment, last.fragment),
  })
  return restored.includes(MASK) || maskUri(restored) !== maskUri(given) ? undefined : restored
}

/** Whether both lead to the same scheme, host and port. What cannot be read leads nowhere but to itself. */
export function isSameTarget(a: string | undefined, b: string | undefined): boolean {
  return (a && targetOf(a)) === (b && targetOf(b))
}

function targetOf(uri: string): string {
  const { scheme, host = '' } = split(uri) ?? {}
  if (scheme === undefined) return uri
  if (!Object.hasOwn(MAIL_PORTS, scheme)) {
    const url = URL.parse(uri)
    return url === null ? uri : `${url.protocol}//${url.host}`
  }
  const [, name = host, port] = HOST_PORT.exec(host) ?? []
  return `${scheme}://${name.toLowerCase()}:${port || MAIL_PORTS[scheme]}`
}

function split(uri: string): Parts | undefined {
  const [, scheme, authority, path = '', query, fragment] = WEB.exec(uri) ?? MAIL.exec(uri) ?? []
  if (scheme === undefined || authority === undefined) return undefined
  const at = authority.lastIndexOf('@')
  const userinfo = at < 0 ? undefined : authority.slice(0, at)
  const colon = userinfo?.indexOf(':') ?? -1
  return {
    scheme: scheme.toLowerCase(),
    user: colon < 0 ? userinfo : userinfo?.slice(0, colon),
    password: colon < 0 ? undefined : userinfo?.slice(colon + 1),
    host: authority.slice(at + 1),
    path,
    query: query?.split('&'),
    fragment,
  }
}

function print({ scheme, user, password, host, path, query, fragment }: Parts): string {
  const userinfo = user === undefined ? '' : `${user}${password === undefined ? '' : `:${password}`}@`
  const options = query === undefined ? '' : `?${query.join('&')}`
  return `${scheme}://${userinfo}${host}${path}${options}${fragment === undefined ? '' : `#${fragment}`}`
}

function maskOption(scheme: string, option: string): string {
  const { name, value } = optionOf(option)
  if (Object.hasOwn(MAIL_PORTS, scheme) && MAIL_OPTIONS.includes(name ?? '')) return option
  if (value === '') return option
  return name === undefined ? MASK : `${name}=${MASK}`
}

/** A value without a name may be a token. */
function optionOf(option: string): { name: string | undefined; value: string } {
  const equals = option.indexOf('=')
  if (equals < 0) return { name: undefined, value: option }
  return { name: option.slice(0, equals), value: option.slice(equals + 1) }
}

/** Options are matched by name, and those of one name by their order. */
function restoreQuery(given: readonly string[], stored: readonly string[]): string[] {
  const used = new Map<string | undefined, number>()
  return given.map((option) => {
    const { name, value } = optionOf(option)
    const index = used.get(name) ?? 0
    used.set(name, index + 1)
    if (value !== MASK) return option
    return stored.filter((other) => optionOf(other).name === name)[index] ?? option
  })
}
