import type { Config } from '../schema.ts'

type Courier = Config['courier']

const LOCAL_HOSTS: readonly string[] = ['127.0.0.1', 'localhost', '[::1]']

/** What works and is not advisable about where mail goes. */
export function deliveryWarnings({ courier, postrider }: Pick<Config, 'courier' | 'postrider'>): string[] {
  return [
    ...mailWarnings('courier.smtp.connection_uri', courier.smtp.connection_uri),
    ...mailWarnings('postrider.courier.fallback.smtp.connection_uri', postrider.courier.fallback.smtp.connection_uri),
    ...requests(courier).flatMap(([key, request]) => requestWarnings(key, request)),
  ]
}

/** Whether a configuration says where its mail goes; without that the operator's provider takes it. */
export function hasOwnTarget({ courier }: Pick<Config, 'courier'>): boolean {
  return courier.delivery_strategy === 'http' || courier.smtp.connection_uri !== undefined
}

function mailWarnings(key: string, uri: string | undefined): string[] {
  const target = uri === undefined ? null : URL.parse(uri)
  if (target === null) return []
  const isLocal = LOCAL_HOSTS.includes(target.hostname)
  const has = (option: string): boolean => !isLocal && target.searchParams.get(option) === 'true'
  const isLegacy = target.searchParams.has('legacy_ssl')
  return [
    ...(isLegacy ? [`${key}: legacy_ssl means nothing since Kratos 0.8; TLS from the start is smtps://`] : []),
    ...(has('disable_starttls') ? [`${key}: disable_starttls=true sends credentials and codes in clear`] : []),
    ...(has('skip_ssl_verify') ? [`${key}: skip_ssl_verify=true accepts any server that pretends to be yours`] : []),
  ]
}

type Request = NonNullable<Courier['http']['request_config']>

function requestWarnings(key: string, { url, auth }: Request): string[] {
  const target = url === undefined ? null : URL.parse(url)
  const isInClear = target?.protocol === 'http:' && !LOCAL_HOSTS.includes(target.hostname)
  return [
    ...(auth === undefined ? [`${key}.request_config.auth: not set; whoever finds the URL can send in your name`] : []),
    ...(isInClear ? [`${key}.request_config.url: http:// sends credentials and codes in clear`] : []),
  ]
}

/** The requests in use, by their key. */
function requests({ delivery_strategy, http, channels }: Courier): [key: string, request: Request][] {
  const own = channels.map(({ id, request_config }): [string, Request] => [`courier.channels (${id})`, request_config])
  if (delivery_strategy !== 'http' || http.request_config === undefined) return own
  return [['courier.http', http.request_config], ...own]
}
