/** Which processes `up` runs, each with its environment, ports and log file. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { CodedError } from '#libs/errors'
import { freePort } from './local-port.ts'
import type { LocalSettings, PortName } from './local-settings.ts'
import { readState, writeState } from './state-file.ts'
import type { ProcessPlan } from './supervised-process.ts'

/** In the order of their start: whoever takes requests or reads is there before whoever shows it. */
export const SERVICES = ['identity', 'relay', 'courier', 'projector', 'console'] as const
export type ServiceName = (typeof SERVICES)[number]

/** These share their work among any number of instances; the others listen on one public port. */
const SCALABLE: readonly ServiceName[] = ['relay', 'courier', 'projector']
const MOST_INSTANCES = 64

/** @throws CONFIG_INVALID for a service that is unknown or cannot be scaled, and for a count out of range */
export function checkScale(scale: Readonly<Record<string, number>>): void {
  for (const [service, count] of Object.entries(scale)) {
    const allowed = SCALABLE.join(', ')
    if (!SCALABLE.some((name) => name === service)) {
      throw new CodedError(
        'CONFIG_INVALID',
        `--scale ${service}: one instance only, or no service at all; allowed ${allowed}`,
      )
    }
    if (!Number.isInteger(count) || count < 1 || count > MOST_INSTANCES) {
      throw new CodedError('CONFIG_INVALID', `--scale ${service}: found ${count}, allowed 1 to ${MOST_INSTANCES}`)
    }
  }
}

export interface ServicePlanOptions {
  readonly settings: LocalSettings
  readonly env: NodeJS.ProcessEnv
  readonly scale: Readonly<Record<string, number>>
  /** The folder of services/. */
  readonly root: string
}

/** One plan per instance. First instances take the port of the settings, further ones a free port for their metrics. */
export async function planServices(options: ServicePlanOptions): Promise<ProcessPlan[]> {
  const plans: ProcessPlan[] = []
  for (const service of SERVICES) {
    for (let number = 1; number <= (options.scale[service] ?? 1); number++) {
      plans.push(planService(service, number, await portsOf(service, number, options.settings), options))
    }
  }
  return plans
}

function planService(
  service: ServiceName,
  number: number,
  ports: Record<string, number>,
  { settings, env, root }: ServicePlanOptions,
): ProcessPlan {
  const instance = `${service}-${number}`
  const metrics = ports.metrics === undefined ? {} : { [metricsPortName(service)]: String(ports.metrics) }
  return {
    service,
    instance,
    script: join(root, 'services', service, 'main.ts'),
    folder: root,
    env: { ...env, POSTRIDER_INSTANCE: instance, ...metrics },
    ports,
    logPath: join(settings.home, 'logs', `${instance}.log`),
    ownGroup: false,
  }
}

async function portsOf(
  service: ServiceName,
  number: number,
  { ports }: LocalSettings,
): Promise<Record<string, number>> {
  if (service === 'console') return { http: ports.POSTRIDER_CONSOLE_PORT }
  const metrics = number === 1 ? ports[metricsPortName(service)] : await freePort()
  return service === 'identity' ? { http: ports.POSTRIDER_IDENTITY_PORT, metrics } : { metrics }
}

function metricsPortName(service: ServiceName): PortName {
  return `POSTRIDER_${service.toUpperCase() as Uppercase<Exclude<ServiceName, 'console'>>}_METRICS_PORT`
}

/** The mailbox outlives a Ctrl-C in the terminal: couriers finish what they are sending. */
export function planMailbox(settings: LocalSettings, env: NodeJS.ProcessEnv): ProcessPlan {
  return {
    service: 'mailbox',
    instance: 'mailbox',
    script: join(import.meta.dirname, 'mailbox.ts'),
    folder: '/',
    env,
    ports: { smtp: settings.ports.POSTRIDER_MAILBOX_SMTP_PORT, http: settings.ports.POSTRIDER_MAILBOX_HTTP_PORT },
    logPath: join(settings.home, 'logs', 'mailbox.log'),
    ownGroup: true,
  }
}

/** The environment that every service gets: the caller's, completed by what this machine started. Empty servers: the user's own. */
export async function serviceEnvironment(
  settings: LocalSettings,
  env: NodeJS.ProcessEnv,
  servers: { databaseUrl?: string | undefined; brokers?: string | undefined },
): Promise<NodeJS.ProcessEnv> {
  const ports = Object.entries(settings.ports).map(([name, port]) => [name, String(port)])
  const { POSTRIDER_MAILBOX_SMTP_PORT, ...others }: NodeJS.ProcessEnv = Object.fromEntries(ports)
  const completed: NodeJS.ProcessEnv = { ...env, ...others, POSTRIDER_HOME: settings.home }
  // Its presence is what points an unset connection_uri at the mailbox.
  delete completed.POSTRIDER_MAILBOX_SMTP_PORT
  if (settings.embeds.mailbox) completed.POSTRIDER_MAILBOX_SMTP_PORT = POSTRIDER_MAILBOX_SMTP_PORT
  if (settings.configFiles.length > 0) completed.POSTRIDER_CONFIG = settings.configFiles.join(',')
  if (servers.databaseUrl !== undefined) completed.DATABASE_URL = servers.databaseUrl
  if (servers.brokers !== undefined) {
    completed.KAFKA_BROKERS = servers.brokers
    completed.POSTRIDER_KAFKA_REPLICATION ??= '1' // one broker cannot hold three copies
  }
  if (!settings.hasSecrets) completed.SECRETS_CIPHER = JSON.stringify(await keptSecrets(settings.home))
  return completed
}

/** Made once and kept: a message sealed before a restart is opened after it. */
async function keptSecrets(home: string): Promise<string[]> {
  const path = join(home, 'secrets.json')
  const kept = (await readState<{ cipher: string[] }>(path))?.cipher
  if (kept !== undefined) return kept
  const cipher = [randomBytes(32).toString('base64url')]
  await writeState(path, { cipher }, 0o600)
  return cipher
}
