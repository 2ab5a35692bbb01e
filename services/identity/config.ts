import { hostname } from 'node:os'
import { loadConfig, parseDuration, requireDatabase, requireSecrets } from '#libs/config'
import { topics } from '#libs/messages'
import { flowSettingsOf } from './flow-settings.ts'
import type { IdentitySettings } from './ports.ts'
import type { ClientLimit } from './throttle.ts'

export interface IdentityConfig {
  readonly instance: string
  readonly databaseUrl: string
  readonly secrets: readonly string[]
  readonly host: string
  readonly port: number
  readonly metricsPort: number
  /** Where the admin API is, without a slash at its end. */
  readonly consoleUrl: string
  readonly settings: IdentitySettings
  readonly clientLimit: ClientLimit
}

const SESSION_LIFESPAN_MS = 24 * 3_600_000

/** @throws CONFIG_INVALID */
export function loadIdentityConfig(env: NodeJS.ProcessEnv): IdentityConfig {
  const config = loadConfig({ env })
  requireDatabase(config)
  requireSecrets(config)
  const { console, database, identity, kafka } = config.postrider
  const publicUrl = identity.public_url.replace(/\/+$/, '')
  return {
    instance: env.POSTRIDER_INSTANCE ?? `identity@${hostname()}`,
    databaseUrl: database.url,
    secrets: config.secrets.cipher,
    host: identity.host,
    port: identity.port,
    metricsPort: identity.metrics_port,
    consoleUrl: (console.public_url || `http://127.0.0.1:${console.port}`).replace(/\/+$/, ''),
    settings: {
      ...flowSettingsOf(config, publicUrl),
      publicUrl,
      sessionLifespanMs: SESSION_LIFESPAN_MS,
      mailLimit: { mails: identity.throttle.mails, windowMs: parseDuration(identity.throttle.mails_window) },
      topics: topics(kafka.topic_prefix),
    },
    clientLimit: { requests: identity.throttle.requests, windowMs: parseDuration(identity.throttle.requests_window) },
  }
}
