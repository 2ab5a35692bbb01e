import type { SecureContextOptions } from 'node:tls'
import type { Config } from '#libs/config'
import type { Engine } from '#libs/engine'
import type { Guard, Resources } from '#libs/resources'

/** `request_config` of courier.http, or of one of courier.channels. */
export type RequestConfig = NonNullable<Config['courier']['http']['request_config']>

export interface HttpChannelOptions {
  readonly requestConfig: RequestConfig
  /** Where the request is configured, for messages. */
  readonly setting?: string
  readonly engine: Pick<Engine, 'evaluate'>
  readonly resources: Pick<Resources, 'load'>
  readonly guard: Guard
  readonly maxConnections: number
  /** From the first byte of the connection to the last of the answer. Default 10,000. */
  readonly timeoutMs?: number
  /** What TLS needs beyond the URL, such as a private authority. */
  readonly tls?: SecureContextOptions
  /** Epoch ms. */
  readonly now?: () => number
}
