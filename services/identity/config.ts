import { hostname } from 'node:os'
import { loadConfig, parseDuration, requireDatabase, requireSecrets } from '#libs/config'
import { CodedError } from '#libs/errors'
import { MAX_LIFETIME_MS, topics } from '#libs/messages'
import type { IdentitySettings } from './ports.ts'
import type { ClientLimit } from './throttle.ts'

export interface IdentityConfig {
  readonly instance: string
  readonly databaseUrl: string
  readonly secrets: readonly string[]
  readonly host: string
  readonly port: number
  readonly metricsPort: number
  readonly settings: IdentitySettings
  readonly clientLimit: ClientLimit
}

const SESSION_LIFESPAN_MS = 24 * 3_600_000

/** @throws CONFIG_INVALID */
export function loadIdentityConfig(env: NodeJS.ProcessEnv): IdentityConfig {
  const config = loadConfig({ env })
  requireDatabase(config)
  requireSecrets(config)
  const { database, identity, kafka } = config.postrider
  return {
    instance: env.POSTRIDER_INSTANCE ?? `identity@${hostname()}`,
    databaseUrl: database.url,
    secrets: config.secrets.cipher,
    host: identity.host,
    port: identity.port,
    metricsPort: identity.metrics_port,
    settings: {
      publicUrl: identity.public_url.replace(/\/+$/, ''),
      codeLifespanMs: codeLifespanMs(config.selfservice.methods.code.config.lifespan),
      sessionLifespanMs: SESSION_LIFESPAN_MS,
      mailLimit: { mails: identity.throttle.mails, windowMs: parseDuration(identity.throttle.mails_window) },
      messagesTopic: topics(kafka.topic_prefix).messages,
    },
    clientLimit: { requests: identity.throttle.requests, windowMs: parseDuration(identity.throttle.requests_window) },
  }
}

/** A mail may not live longer than the courier keeps one, so a code may not either. */
function codeLifespanMs(lifespan: string): number {
  const ms = parseDuration(lifespan)
  if (ms < 1_000 || ms > MAX_LIFETIME_MS)
    throw new CodedError(
      'CONFIG_INVALID',
      `selfservice.methods.code.config.lifespan: found ${lifespan}, allowed 1s to 120h`,
    )
  return ms
}
