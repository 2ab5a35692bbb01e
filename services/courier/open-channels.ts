/** The channels of one configuration, each behind its admission: of the operator's, or of a project's own. */
import type { Config } from '#libs/config'
import type { Engine } from '#libs/engine'
import { type GuardOptions, openGuard, type Resources } from '#libs/resources'
import { openAdmittedChannel } from './admission/admitted-channel.ts'
import type { Channel } from './channels/channel.ts'
import { openHttpChannel } from './channels/http/http-channel.ts'
import type { RequestConfig } from './channels/http/http-options.ts'
import { parseSmtpUri } from './channels/smtp/parse-smtp-uri.ts'
import { openSmtpChannel } from './channels/smtp/smtp-pool.ts'
import type { SelectedChannel } from './select-channel.ts'

/** What a configuration says of delivery. */
export type DeliverySettings = Pick<Config, 'courier' | 'clients'>

export interface ChannelTools {
  readonly engine: Engine
  readonly resources: Resources
  /** Connections to one server at once. */
  readonly maxConnections: number
}

/** Places of a channel that notices leave free for urgent mail. */
const RESERVED = 1 / 4

/**
 * By kind of address. `prefix` stands before their keys, so that projects are told apart.
 * @throws CONFIG_INVALID, SMTP_URI_INVALID
 */
export function openChannels(
  settings: DeliverySettings,
  tools: ChannelTools,
  prefix = '',
): ReadonlyMap<string, SelectedChannel> {
  const { courier } = settings
  const selected = (kind: string, provider: string, channel: Channel): [string, SelectedChannel] => {
    const port = openAdmittedChannel(channel, tools.maxConnections)
    const reserved = Math.floor(tools.maxConnections * RESERVED)
    return [kind, { key: `${prefix}${kind}`, port, blockage: port.blockage, reserved, provider }]
  }
  const http = (kind: string, request: RequestConfig, setting: string): [string, SelectedChannel] =>
    selected(kind, URL.parse(request.url ?? '')?.host ?? '', openHttp(request, setting, settings, tools))

  const channels = courier.channels.map((channel, index) =>
    http(channel.id, channel.request_config, `courier.channels[${index}].request_config`),
  )
  const { request_config: request } = courier.http
  if (courier.delivery_strategy === 'http' && request !== undefined)
    channels.push(http('email', request, 'courier.http.request_config'))
  else channels.push(selected('email', parseSmtpUri(courier.smtp.connection_uri ?? '').host, openSmtp(settings, tools)))
  return new Map(channels)
}

function openHttp(
  requestConfig: RequestConfig,
  setting: string,
  { clients }: DeliverySettings,
  { engine, resources, maxConnections }: ChannelTools,
): Channel {
  return openHttpChannel({ requestConfig, setting, engine, resources, maxConnections, guard: httpGuard(clients) })
}

/** Where requests may go, and where templates may be fetched from. */
export function httpGuard({ http }: DeliverySettings['clients']) {
  return openGuard({
    disallowPrivate: http.disallow_private_ip_ranges,
    exceptionUrls: http.private_ip_exception_urls,
  } satisfies GuardOptions)
}

function openSmtp({ courier, clients }: DeliverySettings, { maxConnections }: ChannelTools): Channel {
  const { smtp } = courier
  const { from_address: address, from_name: name, client_cert_path: certPath, client_key_path: keyPath } = smtp
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
