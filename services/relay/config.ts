import { hostname } from 'node:os'
import { type Config, loadConfig, requireSecrets } from '#libs/config'

/** What the relay needs of the configuration. */
export interface RelayConfig {
  readonly instance: string
  readonly databaseUrl: string
  readonly kafka: Config['postrider']['kafka']
  readonly secrets: readonly string[]
  readonly metricsPort: number
}

/** @throws CONFIG_INVALID */
export function loadRelayConfig(env: NodeJS.ProcessEnv): RelayConfig {
  const config = loadConfig({ env })
  requireSecrets(config)
  const { postrider } = config
  return {
    instance: env.POSTRIDER_INSTANCE ?? `relay@${hostname()}`,
    databaseUrl: postrider.database.url,
    kafka: postrider.kafka,
    secrets: config.secrets.cipher,
    metricsPort: postrider.relay.metrics_port,
  }
}
