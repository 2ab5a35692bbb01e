import { hostname } from 'node:os'
import { type Config, ignoredKeys, loadConfig, parseDuration, requireDatabase, requireSecrets } from '#libs/config'
import { isLoopback } from '#libs/http-server'
import type { InsightSettings } from './insights/routes.ts'
import type { Lifespans } from './lifetime.ts'
import { type OperatorSettings, openOperatorSettings } from './projects/operator-settings.ts'

/** What the console needs of the configuration. */
export interface ConsoleConfig {
  readonly instance: string
  readonly databaseUrl: string
  readonly secrets: readonly string[]
  /** Of page tokens. */
  readonly pageSecrets: readonly string[]
  /** Shows subjects and bodies; never in production. */
  readonly dev: boolean
  readonly host: string
  readonly port: number
  /** Under which a proxy shows the console. */
  readonly publicOrigin: string | undefined
  /** Empty for none. */
  readonly adminKey: string
  readonly topicPrefix: string
  /** Tries that count, as the operator's configuration has it. */
  readonly maxAttempts: number
  readonly lifespans: Lifespans
  /** Base URL of each service's health, by service. */
  readonly peers: Config['postrider']['console']['peers']
  readonly insights: InsightSettings
  /** Keys of the files that mean nothing here. */
  readonly ignored: readonly string[]
  /** What becomes the configuration of the project `default`. */
  readonly operator: OperatorSettings
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
    pageSecrets: config.secrets.pagination.length > 0 ? config.secrets.pagination : config.secrets.cipher,
    dev: config.dev,
    host: console.host,
    port: console.port,
    publicOrigin: URL.parse(console.public_url)?.origin,
    adminKey: console.admin_key,
    topicPrefix: kafka.topic_prefix,
    maxAttempts: Math.max(0, config.courier.message_retries) + 1,
    lifespans: { code: parseDuration(code.config.lifespan), link: parseDuration(link.config.lifespan) },
    peers: console.peers,
    insights: insightsOf(config, env),
    ignored: ignoredKeys(config),
    operator: openOperatorSettings(env),
  }
}

/** The mailbox shows whole mails, so that nobody beyond this machine gets to it. */
function insightsOf({ postrider }: Config, env: NodeJS.ProcessEnv): InsightSettings {
  const { POSTRIDER_MAILBOX_SMTP_PORT: smtpPort, POSTRIDER_MAILBOX_HTTP_PORT: httpPort } = env
  const hasMailbox = smtpPort !== undefined && httpPort !== undefined && isLoopback(postrider.console.host)
  return {
    projector: postrider.console.peers.projector,
    traceUrl: postrider.telemetry.trace_url,
    mailboxPort: smtpPort,
    mailboxOrigin: hasMailbox ? `http://127.0.0.1:${httpPort}` : undefined,
  }
}
