import { hostname } from 'node:os'
import { type Config, loadConfig, parseDuration, requireDatabase, requireSecrets } from '#libs/config'
import type { RetryPolicy } from '#libs/delivery'
import { parseSmtpUri, type SmtpTarget } from './channels/smtp/parse-smtp-uri.ts'

/** What the courier needs of the configuration. */
export interface CourierConfig {
  readonly instance: string
  readonly databaseUrl: string
  readonly kafka: Config['postrider']['kafka']
  readonly secrets: readonly string[]
  readonly window: number
  readonly maxConnections: number
  readonly policy: RetryPolicy
  readonly metricsPort: number
  readonly smtp: {
    readonly target: SmtpTarget
    readonly from: { readonly address: string; readonly name?: string }
    readonly headers: Readonly<Record<string, string>>
    readonly localName: string
  }
}

/** @throws CONFIG_INVALID, SMTP_URI_INVALID */
export function loadCourierConfig(env: NodeJS.ProcessEnv): CourierConfig {
  const config = loadConfig({ env })
  requireDatabase(config)
  requireSecrets(config)
  const { courier, postrider } = config
  const { from_address: address, from_name: name } = courier.smtp
  return {
    instance: env.POSTRIDER_INSTANCE ?? `courier@${hostname()}`,
    databaseUrl: postrider.database.url,
    kafka: postrider.kafka,
    secrets: config.secrets.cipher,
    window: postrider.courier.window,
    maxConnections: postrider.courier.concurrency,
    policy: {
      maxAttempts: Math.max(0, courier.message_retries) + 1,
      scheduleMs: postrider.courier.retry_schedule.split(',').map((delay) => parseDuration(delay.trim())),
      onUnknown: 'resend',
    },
    metricsPort: postrider.courier.metrics_port,
    smtp: {
      target: parseSmtpUri(courier.smtp.connection_uri ?? ''),
      from: { address, ...(name !== undefined && { name }) },
      headers: courier.smtp.headers,
      localName: courier.smtp.local_name,
    },
  }
}
