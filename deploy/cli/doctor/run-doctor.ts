/** All checks of `postrider doctor`, in the order in which a mail meets what they are about. */
import { type Config, loadConfig } from '#libs/config'
import { messageOf } from '#libs/errors'
import { readRunFile } from '../../local/run-file.ts'
import { type AdminClient, openAdminClient, statusOf } from '../admin-client.ts'
import { findDatabaseUrl, findKafka, hasKeptSecrets } from '../find-servers.ts'
import { type Check, fail, ok, reasonOf, skip } from './check.ts'
import { dnsChecks, noDns } from './dns-checks.ts'
import { openTxtReader } from './dns-records.ts'
import { findSender } from './find-sender.ts'

export interface DoctorOptions {
  /** Id or slug. */
  readonly project: string
  /** Checked whatever the project sends from. */
  readonly domain?: string
  readonly selectors: readonly string[]
  readonly env: NodeJS.ProcessEnv
}

const SERVICES_OF_GROUPS = ['courier', 'projector'] as const

export async function runDoctor(options: DoctorOptions): Promise<Check[]> {
  const { env } = options
  const home = env.POSTRIDER_HOME || '.postrider'
  const client = await openAdminClient(env)
  const config = readConfig(env)
  const [here, services, project] = await Promise.all([
    'problem' in config ? [config.problem] : serverChecks(config, home),
    servicesOf(client, 'problem' in config ? undefined : config, home),
    projectChecks(client, options),
  ])
  return [...here, ...services, ...project]
}

function readConfig(env: NodeJS.ProcessEnv): Config | { readonly problem: Check } {
  try {
    return loadConfig({ env })
  } catch (error) {
    const remedy = 'Correct it; postrider config check tells more.'
    return { problem: fail('config', messageOf(error), remedy) }
  }
}

async function serverChecks(config: Config, home: string): Promise<Check[]> {
  const { databaseChecks } = await import('./database-checks.ts')
  const { brokerChecks } = await import('./broker-checks.ts')
  const [secrets, database, broker] = await Promise.all([
    checkSecrets(config, home),
    findDatabaseUrl(config, home).then(databaseChecks),
    findKafka(config, home).then(brokerChecks),
  ])
  return [secrets, ...database, ...broker]
}

async function checkSecrets({ secrets }: Config, home: string): Promise<Check> {
  const count = secrets.cipher.length
  if (count > 0) return ok('secrets.cipher', `${count} set; the first one seals`)
  if (await hasKeptSecrets(home)) return ok('secrets.cipher', `made by postrider up and kept in ${home}`)
  return fail(
    'secrets.cipher',
    'not set here: no service starts without it',
    'Set SECRETS_CIPHER or SECRETS_CIPHER_FILE, the same for every service: openssl rand -base64 32 makes one.',
  )
}

/** With what `run.json` and the configuration say of where couriers and projectors show their metrics. */
async function servicesOf(client: AdminClient, config: Config | undefined, home: string): Promise<Check[]> {
  const { serviceChecks } = await import('./service-checks.ts')
  const processes = (await readRunFile(home))?.processes ?? []
  const members = SERVICES_OF_GROUPS.flatMap((service) => {
    const ports = processes.flatMap((each) => (each.service === service ? (each.ports.metrics ?? []) : []))
    if (ports.length > 0) return ports.map((port) => `http://127.0.0.1:${port}`)
    return config?.postrider.console.peers[service] ?? []
  })
  return serviceChecks(client, members)
}

async function projectChecks(client: AdminClient, options: DoctorOptions): Promise<Check[]> {
  const { project, domain, selectors, env } = options
  const path = `projects/${encodeURIComponent(project)}`
  const readTxt = openTxtReader(env.POSTRIDER_DNS ?? '')
  const domainChecks = (of: string): Promise<Check[]> => dnsChecks({ domain: of, selectors, readTxt })
  try {
    await client.get(path)
  } catch (error) {
    const named =
      domain === undefined ? noDns('it is not known from where this project sends') : await domainChecks(domain)
    if (statusOf(error) !== 404) return [skip('provider', `the console does not answer: ${reasonOf(error)}`), ...named]
    return [fail('project', `there is no project ${project}`, 'See postrider list projects.'), ...named]
  }
  const { providerChecks } = await import('./provider-checks.ts')
  const sender = domain === undefined ? await findSender(client, path, env.POSTRIDER_DNS !== undefined) : { domain }
  const [provider, dns] = await Promise.all([
    providerChecks(client, project),
    'reason' in sender ? noDns(sender.reason) : domainChecks(sender.domain),
  ])
  return [...provider, ...dns]
}
