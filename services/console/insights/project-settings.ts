/** What holds for a project now: its newest configuration that can be read, else that of the operator. */
import { type Config, parseConfig } from '#libs/config'
import type { Tx } from '#libs/database'
import { DEFAULT_PROJECT_ID, type Sealer } from '#libs/messages'
import { loadRevisions } from '#libs/projects'
import type { Logger } from '#libs/telemetry'

export interface SettingsPorts {
  readonly database: Tx
  readonly sealer: Sealer
  /** Of the dev mailbox, which takes the operator's mail while no target is set. */
  readonly mailboxPort?: string | undefined
}

/** A broken revision is told by the couriers; here the one before it counts, as for them. */
const SILENT: Pick<Logger, 'error'> = { error: () => undefined }

/** undefined where it has none of its own. */
export async function ownSettings(projectId: string, ports: SettingsPorts): Promise<Config | undefined> {
  const { database, sealer, mailboxPort } = ports
  const [found] = await loadRevisions(database, { sealer, mailboxPort, projectId, seen: new Map(), log: SILENT })
  return found?.settings
}

export async function operatorSettings(ports: SettingsPorts): Promise<Config> {
  return (await ownSettings(DEFAULT_PROJECT_ID, ports)) ?? parseConfig({}, { mailboxPort: ports.mailboxPort })
}

/** Whether it says where mail goes. */
export function hasTarget({ courier }: Pick<Config, 'courier'>): boolean {
  return courier.delivery_strategy === 'http' || courier.smtp.connection_uri !== undefined
}

/** Who takes the messages of each channel that the settings have: a host, never a credential. */
export function providersOf({ courier }: Pick<Config, 'courier'>): Map<string, string> {
  const providers = new Map<string, string>(
    courier.channels.map(({ id, request_config: { url } }) => [id, hostOf(url)]),
  )
  const mail = courier.delivery_strategy === 'http' ? courier.http.request_config?.url : courier.smtp.connection_uri
  if (hasTarget({ courier })) providers.set('email', hostOf(mail))
  return providers
}

function hostOf(uri: string | undefined): string {
  return URL.parse(uri ?? '')?.host ?? ''
}
