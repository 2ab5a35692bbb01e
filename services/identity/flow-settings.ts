/** What flows follow: the newest revision of the project `default`, or this process' own configuration while there is none. */
import { type Config, parseDuration } from '#libs/config'
import type { Tx } from '#libs/database'
import { CodedError, messageOf } from '#libs/errors'
import { DEFAULT_PROJECT_ID, MAX_LIFETIME_MS, type Sealer } from '#libs/messages'
import { loadRevisions, type SeenRevisions } from '#libs/projects'
import type { Logger } from '#libs/telemetry'
import type { FlowSettings } from './ports.ts'

/** @throws CONFIG_INVALID */
export function flowSettingsOf({ selfservice, clients }: Config, publicUrl: string): FlowSettings {
  const { methods, flows } = selfservice
  return {
    codeLifespanMs: lifespanMs('code', methods.code.config.lifespan),
    linkLifespanMs: lifespanMs('link', methods.link.config.lifespan),
    linkBaseUrl: (methods.link.config.base_url ?? publicUrl).replace(/\/+$/, ''),
    notifyUnknown: {
      recovery: flows.recovery.notify_unknown_recipients,
      verification: flows.verification.notify_unknown_recipients,
    },
    headerAllowlist: clients.web_hook.header_allowlist,
  }
}

/** A mail may not live longer than the courier keeps one, so a code or link may not either. */
function lifespanMs(method: 'code' | 'link', lifespan: string): number {
  const ms = parseDuration(lifespan)
  if (ms < 1_000 || ms > MAX_LIFETIME_MS)
    throw new CodedError(
      'CONFIG_INVALID',
      `selfservice.methods.${method}.config.lifespan: found ${lifespan}, allowed 1s to 120h`,
    )
  return ms
}

export interface FollowedSettings<Settings> {
  readonly current: () => Settings
  /** Looks for a newer revision. One that is broken is reported once, and what held before goes on. */
  readonly follow: () => Promise<void>
}

export interface FollowPorts {
  readonly database: Tx
  readonly sealer: Pick<Sealer, 'open'>
  readonly log: Pick<Logger, 'info' | 'error'>
}

/** @param own holds until there is a revision; what is no FlowSettings of it, always */
export function followFlowSettings<Settings extends FlowSettings & { readonly publicUrl: string }>(
  own: Settings,
  { database, sealer, log }: FollowPorts,
): FollowedSettings<Settings> {
  const seen: SeenRevisions = new Map()
  let current = own
  let last: Promise<void> = Promise.resolve()

  async function look(): Promise<void> {
    const revisions = await loadRevisions(database, { sealer, seen, log, projectId: DEFAULT_PROJECT_ID })
    for (const { number, settings } of revisions) {
      try {
        current = { ...own, ...flowSettingsOf(settings, own.publicUrl) }
        log.info({ revision: number }, 'settings of flows taken over')
      } catch (error) {
        log.error({ revision: number, reason: messageOf(error) }, 'settings of flows refused, the former ones hold')
      }
    }
  }

  return {
    current: () => current,
    follow: () => {
      // One after the other, whatever became of the one before: an older answer must not overtake a newer one.
      last = last.then(look, look)
      return last
    },
  }
}
