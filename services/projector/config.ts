import { hostname } from 'node:os'
import { type Config, loadConfig, requireDatabase } from '#libs/config'

/** What the projector needs of the configuration. */
export interface ProjectorConfig {
  readonly instance: string
  readonly databaseUrl: string
  readonly kafka: Config['postrider']['kafka']
  readonly metricsPort: number
}

/** @throws CONFIG_INVALID */
export function loadProjectorConfig(env: NodeJS.ProcessEnv): ProjectorConfig {
  const config = loadConfig({ env })
  requireDatabase(config)
  const { postrider } = config
  return {
    instance: env.POSTRIDER_INSTANCE ?? `projector@${hostname()}`,
    databaseUrl: postrider.database.url,
    kafka: postrider.kafka,
    metricsPort: postrider.projector.metrics_port,
  }
}
