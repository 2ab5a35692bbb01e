import { hostname } from 'node:os'
import { type Config, loadConfig, parseDuration, requireDatabase, requireSecrets } from '#libs/config'
import type { Lifespans } from './lifetime.ts'

/** What the console needs of the configuration. */
export interface ConsoleConfig {
  readonly instance: string
  readonly databaseUrl: string
  readonly secrets: readonly string[]
  /** Shows subjects and bodies; never in production. */
  readonly dev: boolean
  readonly host: string
  readonly port: number
  readonly topicPrefix: string
  readonly lifespans: Lifespans
  /** Base URL of each service's health, by service. */
  readonly peers: Config['postrider']['console']['peers']
}

/** @throws CONFIG_INVALID */
export function loadConsoleConfig(env: NodeJS.ProcessEnv): ConsoleConfig {
  const config = loadConfig({ env })
  requireDatabase(config)
  requireSecrets(config)
  const { database, console, kafka } = config.postrider
  const { code, link } = config.selfservice.methods
  return {
    instance: env.POSTRIDER_INSTANCE ?? `console@${hostname()}`,
    databaseUrl: database.url,
    secrets: config.secrets.cipher,
    dev: config.dev,
    host: console.host,
    port: console.port,
    topicPrefix: kafka.topic_prefix,
    lifespans: { code: parseDuration(code.config.lifespan), link: parseDuration(link.config.lifespan) },
    peers: console.peers,
  }
}
