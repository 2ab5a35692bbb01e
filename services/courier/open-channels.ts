/** The channels of one configuration, each behind its admission: of the operator's, or of a project's own. */
import { type Config, parseRate } from '#libs/config'
import type { Engine } from '#libs/engine'
import { CodedError } from '#libs/errors'
import { type GuardOptions, openGuard, type Resources } from '#libs/resources'
import { parseSmtpUri } from '#libs/smtp'
import { openAdmittedChannel } from './admission/admitted-channel.ts'
import type { SharedRate } from './admission/shared-rate.ts'
import type { Channel } from './channels/channel.ts'
import { openHttpChannel } from './channels/http/http-channel.ts'
import type { RequestConfig } from './channels/http/http-options.ts'
import { openSmtpChannel } from './channels/smtp/smtp-pool.ts'
import type { SelectedChannel } from './select-channel.ts'

type Limits = 'fallback' | 'concurrency' | 'rate' | 'retry_schedule' | 'on_unknown'

/** What the configuration of a project says of delivery. */
export type DeliverySettings = Pick<Config, 'courier'> & {
  readonly postrider: { readonly courier: Pick<Config['postrider']['courier'], Limits> }
}

type SmtpSettings = Config['courier']['smtp']

export interface ChannelTools {
  readonly engine: Engine
  readonly resources: Resources
  /** Of the operator, whoever configured the channel. */
  readonly clients: Config['clients']
  /** Whether settings may name files of this server. */
  readonly readsFiles: boolean
  /** The rate that all couriers keep together at the endpoint of that key. */
  readonly rateOf: (endpointKey: string, perSecond: number) => SharedRate
}

/** Places of a channel that notices leave free for urgent mail. */
const RESERVED = 1 / 4
/** In keys of endpoints, where a project's channel has the project's id. */
const OPERATOR = 'operator/'

/**
 * By kind of address; behind the one for mail its next provider, if any. `prefix` stands before their keys, so that projects
 * are told apart; the operator's have none, and are complete, while a project without a target has no channel for mail.
 * @throws CONFIG_INVALID, SMTP_URI_INVALID
 */
export function openChannels(
  settings: DeliverySettings,
  tools: ChannelTools,
  prefix = '',
): ReadonlyMap<string, SelectedChannel> {
  const { courier, postrider } = settings
  const { concurrency } = postrider.courier
  const perSecond = parseRate(postrider.courier.rate)
  const select = (key: string, provider: string, channel: Channel, next?: SelectedChannel): SelectedChannel => {
    const endpoint = `${prefix || OPERATOR}${key}/${provider}`
    const rate = perSecond === undefined ? undefined : tools.rateOf(endpoint, perSecond)
    const port = openAdmittedChannel(channel, concurrency, Date.now, rate)
    const reserve = Math.floor(concurrency * RESERVED)
    return {
      key: `${prefix}${key}`,
      port,
      blockage: port.blockage,
      // Of places only: a slow rate, or a probe, leaves fewer mails than the reserve, and notices would never go.
      get reserved() {
        return port.blockage() === undefined ? Math.max(0, reserve - (port.places - port.free)) : 0
      },
      provider,
      next,
    }
  }
  const smtp = (key: string, server: SmtpSettings, next?: SelectedChannel): SelectedChannel =>
    select(key, parseSmtpUri(server.connection_uri ?? '').host, openSmtp(server, concurrency, tools), next)
  const http = (kind: string, request: RequestConfig, setting: string, next?: SelectedChannel) =>
    [
      kind,
      select(kind, URL.parse(request.url ?? '')?.host ?? '', openHttp(request, setting, concurrency, tools), next),
    ] as const

  const channels = courier.channels.map((channel, index) =>
    http(channel.id, channel.request_config, `courier.channels[${index}].request_config`),
  )
  if (prefix !== '' && !hasTarget(settings)) return new Map(channels)
  const fallback = postrider.courier.fallback.smtp.connection_uri
  const next = fallback === undefined ? undefined : smtp('email.next', fallbackSettings(courier.smtp, fallback))
  const { request_config: request } = courier.http
  if (courier.delivery_strategy === 'http' && request !== undefined)
    channels.push(http('email', request, 'courier.http.request_config', next))
  else channels.push(['email', smtp('email', courier.smtp, next)])
  return new Map(channels)
}

/** Whether a configuration says where mail goes. */
export function hasTarget({ courier }: DeliverySettings): boolean {
  return courier.delivery_strategy === 'http' || courier.smtp.connection_uri !== undefined
}

function openHttp(
  requestConfig: RequestConfig,
  setting: string,
  maxConnections: number,
  { engine, resources, clients }: ChannelTools,
): Channel {
  return openHttpChannel({ requestConfig, setting, engine, resources, maxConnections, guard: httpGuard(clients) })
}

/** Where requests may go, and where templates may be fetched from. */
export function httpGuard({ http }: Config['clients']) {
  return openGuard({
    disallowPrivate: http.disallow_private_ip_ranges,
    exceptionUrls: http.private_ip_exception_urls,
  } satisfies GuardOptions)
}

/** The certificate is for the first server's eyes. */
function fallbackSettings(first: SmtpSettings, connection_uri: string): SmtpSettings {
  return { ...first, connection_uri, client_cert_path: '', client_key_path: '' }
}

function openSmtp(smtp: SmtpSettings, maxConnections: number, { clients, readsFiles }: ChannelTools): Channel {
  const { from_address: address, from_name: name, client_cert_path: certPath, client_key_path: keyPath } = smtp
  if (certPath !== '' && !readsFiles)
    throw new CodedError(
      'CONFIG_INVALID',
      'courier.smtp.client_cert_path: names a file of the server, which only the project default may',
    )
  return openSmtpChannel({
    target: parseSmtpUri(smtp.connection_uri ?? ''),
    from: { address, ...(name !== undefined && { name }) },
    headers: smtp.headers,
    localName: smtp.local_name,
    maxConnections,
    ...(certPath !== '' && { clientCert: { certPath, keyPath } }),
    guard: openGuard({
      disallowPrivate: clients.smtp.disallow_private_ip_ranges,
      setting: 'clients.smtp.disallow_private_ip_ranges',
    }),
  })
}
