import { hostname } from 'node:os'
import { type Config, loadConfig, requireDatabase, requireSecrets } from '#libs/config'
import type { OperatorSettings } from './project-channels.ts'

/** What the courier needs of the configuration. */
export interface CourierConfig {
  readonly instance: string
  readonly databaseUrl: string
  readonly kafka: Config['postrider']['kafka']
  readonly secrets: readonly string[]
  readonly window: number
  readonly metricsPort: number
  /** Of the operator: holds until there is a revision of the project `default`. */
  readonly delivery: OperatorSettings
  /** Of the dev mailbox, on one machine. */
  readonly mailboxPort: string | undefined
}

/** @throws CONFIG_INVALID, SMTP_URI_INVALID */
export function loadCourierConfig(env: NodeJS.ProcessEnv): CourierConfig {
  const config = loadConfig({ env })
  requireDatabase(config)
  requireSecrets(config)
  const { postrider } = config
  return {
    instance: env.POSTRIDER_INSTANCE ?? `courier@${hostname()}`,
    databaseUrl: postrider.database.url,
    kafka: postrider.kafka,
    secrets: config.secrets.cipher,
    window: postrider.courier.window,
    metricsPort: postrider.courier.metrics_port,
    delivery: config,
    // An empty variable counts as unset.
    mailboxPort: env.POSTRIDER_MAILBOX_SMTP_PORT || undefined,
  }
}
