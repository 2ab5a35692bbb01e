/** What `up` has to know before any service does: the state folder, the ports, and which parts the user brings along. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { configFileNames, readConfigFile } from '#libs/config'
import { CodedError } from '#libs/errors'

export type PortName = keyof typeof PORTS

export interface LocalSettings {
  /** Absolute. */
  readonly home: string
  /** Absolute, later ones over earlier ones; empty when there is none. */
  readonly configFiles: readonly string[]
  readonly ports: Readonly<Record<PortName, number>>
  /** Which parts this machine starts itself, because no setting names another. */
  readonly embeds: { readonly postgres: boolean; readonly kafka: boolean; readonly mailbox: boolean }
  /** Whether the user gave cipher secrets; else some are made and kept. */
  readonly hasSecrets: boolean
}

/** Each port by the variable that moves it. */
const PORTS = {
  POSTRIDER_IDENTITY_PORT: 4433,
  POSTRIDER_CONSOLE_PORT: 4434,
  POSTRIDER_MAILBOX_SMTP_PORT: 4425,
  POSTRIDER_MAILBOX_HTTP_PORT: 4426,
  POSTRIDER_POSTGRES_PORT: 4432,
  POSTRIDER_KAFKA_PORT: 4492,
  POSTRIDER_IDENTITY_METRICS_PORT: 4440,
  POSTRIDER_RELAY_METRICS_PORT: 4441,
  POSTRIDER_COURIER_METRICS_PORT: 4442,
  POSTRIDER_PROJECTOR_METRICS_PORT: 4443,
} as const

/** Reads the environment and the configuration files. @throws CONFIG_INVALID */
export function loadLocalSettings(env: NodeJS.ProcessEnv, folder: string): LocalSettings {
  const configFiles = findConfigFiles(env, folder)
  const configs = configFiles.map((path) => readConfigFile(path).value)
  const configured = (key: string): unknown => configs.map((config) => valueAt(config, key)).findLast(isFilled)
  const isGiven = (key: string): boolean => isInEnvironment(env, variableOf(key)) || configured(key) !== undefined

  const strategy = env.COURIER_DELIVERY_STRATEGY || configured('courier.delivery_strategy')
  return {
    home: resolve(folder, env.POSTRIDER_HOME || '.postrider'),
    configFiles,
    ports: portsOf(env),
    embeds: {
      postgres: !isInEnvironment(env, 'DATABASE_URL') && !isGiven('postrider.database.url'),
      kafka: !isInEnvironment(env, 'KAFKA_BROKERS') && !isGiven('postrider.kafka.brokers'),
      mailbox: strategy !== 'http' && !isGiven('courier.smtp.connection_uri'),
    },
    hasSecrets: Object.keys(env).some((name) => /^SECRETS_CIPHER(_|$)/.test(name)) || isGiven('secrets.cipher'),
  }
}

function findConfigFiles(env: NodeJS.ProcessEnv, folder: string): string[] {
  const named = configFileNames(env.POSTRIDER_CONFIG ?? '')
  if (named.length > 0) return named.map((name) => resolve(folder, name))
  const usual = join(folder, 'postrider.yaml')
  return existsSync(usual) ? [usual] : []
}

function portsOf(env: NodeJS.ProcessEnv): Record<PortName, number> {
  const ports: Record<PortName, number> = { ...PORTS }
  for (const name of Object.keys(PORTS) as PortName[]) {
    const given = env[name]
    if (!given) continue
    const port = Number(given)
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new CodedError('CONFIG_INVALID', `${name}: found ${JSON.stringify(given)}, allowed a port from 1 to 65535`)
    }
    ports[name] = port
  }
  requireDistinct(ports)
  return ports
}

function requireDistinct(ports: Record<PortName, number>): void {
  const seen = new Map<number, string>()
  for (const [name, port] of Object.entries(ports)) {
    const other = seen.get(port)
    if (other !== undefined) throw new CodedError('CONFIG_INVALID', `${other} and ${name}: both are ${port}`)
    seen.set(port, name)
  }
}

/** `courier.smtp.connection_uri` as COURIER_SMTP_CONNECTION_URI. */
function variableOf(key: string): string {
  return key.replaceAll('.', '_').toUpperCase()
}

function isInEnvironment(env: NodeJS.ProcessEnv, name: string): boolean {
  return Boolean(env[name] || env[`${name}_FILE`])
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== ''
}

function valueAt(config: unknown, key: string): unknown {
  let value = config
  for (const part of key.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined
    value = (value as Record<string, unknown>)[part]
  }
  return value
}
