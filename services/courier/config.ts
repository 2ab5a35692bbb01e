import { hostname } from 'node:os'
import { type Config, loadConfig, parseDuration, parseRate, requireDatabase, requireSecrets } from '#libs/config'
import type { RetryPolicy } from '#libs/delivery'
import type { DeliverySettings } from './open-channels.ts'

/** What the courier needs of the configuration. */
export interface CourierConfig {
  readonly instance: string
  readonly databaseUrl: string
  readonly kafka: Config['postrider']['kafka']
  readonly secrets: readonly string[]
  readonly window: number
  readonly maxConnections: number
  /** Mails per second to one endpoint, all couriers together; undefined for any number. */
  readonly ratePerSecond: number | undefined
  readonly policy: RetryPolicy
  /** By template type, where it is not `resend`. */
  readonly onUnknown: Config['postrider']['courier']['on_unknown']
  readonly metricsPort: number
  /** Of the operator. */
  readonly delivery: DeliverySettings
}

/** @throws CONFIG_INVALID, SMTP_URI_INVALID */
export function loadCourierConfig(env: NodeJS.ProcessEnv): CourierConfig {
  const config = loadConfig({ env })
  requireDatabase(config)
  requireSecrets(config)
  const { courier, postrider } = config
  return {
    instance: env.POSTRIDER_INSTANCE ?? `courier@${hostname()}`,
    databaseUrl: postrider.database.url,
    kafka: postrider.kafka,
    secrets: config.secrets.cipher,
    window: postrider.courier.window,
    maxConnections: postrider.courier.concurrency,
    ratePerSecond: parseRate(postrider.courier.rate),
    policy: {
      maxAttempts: Math.max(0, courier.message_retries) + 1,
      scheduleMs: postrider.courier.retry_schedule.split(',').map((delay) => parseDuration(delay.trim())),
      onUnknown: 'resend',
    },
    onUnknown: postrider.courier.on_unknown,
    metricsPort: postrider.courier.metrics_port,
    delivery: config,
  }
}
