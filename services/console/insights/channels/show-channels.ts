/** GET /admin/courier/channels: where mail goes, and how that goes. */
import { type Config, parseRate } from '#libs/config'
import type { Database } from '#libs/database'
import { DEFAULT_PROJECT_ID } from '#libs/messages'
import { bounded } from '../../list-messages.ts'
import type { BlockedBy } from '../../message-repository.ts'
import { listProjects, type ProjectRow } from '../../projects/project-repository.ts'
import { operatorSettings, ownSettings, providersOf, type SettingsPorts } from '../project-settings.ts'
import {
  countCouriers,
  countTries,
  findLastErrors,
  findReports,
  type LastErrorRow,
  MOST_TRIES,
  type TriesRow,
} from './channel-health-repository.ts'

interface Configured {
  readonly project: ProjectRow
  readonly channel: string
  readonly provider: string
  /** Whether it goes through the operator's. */
  readonly isShared: boolean
  readonly settings: Config
}

/** Without a project, those with settings of their own, at most so many. */
const MOST_PROJECTS = 200

/** The operator's channels, and of each project its own; of one project also those that it shares. @param project null for all */
export async function showChannels(project: string | null, ports: SettingsPorts & { readonly database: Database }) {
  const { database } = ports
  const channels = await listConfigured(project, ports)
  const pairs = channels.map(({ project, channel }) => ({ project_id: project.id, channel }))
  const [reports, couriers, tries, errors] = await Promise.all([
    findReports(database, pairs),
    countCouriers(database),
    bounded(database, (tx) => countTries(tx, project)),
    bounded(database, (tx) => findLastErrors(tx, project)),
  ])
  const read = tries.reduce((sum, { attempts }) => sum + attempts, 0)
  return channels.map((channel) => {
    const isOfIt = (row: { readonly project_id: string; readonly channel: string }) =>
      row.project_id === channel.project.id && row.channel === channel.channel
    const report = reports.find(isOfIt)
    const error = errors.find(isOfIt)
    return {
      ...shownChannel(channel),
      ...shownBlockage(report?.blocked_by ?? null),
      couriers_reporting: report?.couriers ?? 0,
      couriers_alive: couriers,
      ...shownTries(tries.find(isOfIt), read >= MOST_TRIES),
      last_error: error === undefined ? null : shownError(error),
    }
  })
}

function shownChannel({ project, channel, provider, isShared, settings }: Configured) {
  const { rate, concurrency } = settings.postrider.courier
  return {
    project: project.slug,
    project_id: project.id,
    project_name: project.name,
    channel,
    provider: provider === '' ? null : provider,
    /** Through the operator's server. */
    shared: isShared,
    /** Most mails within a time, all couriers together; null: as fast as the server takes them. */
    rate: rate === '' ? null : rate,
    rate_per_s: parseRate(rate) ?? null,
    concurrency,
  }
}

function shownBlockage(blockage: BlockedBy | null) {
  if (blockage === null)
    return {
      state: 'open',
      class: null,
      reply_code: null,
      enhanced_code: null,
      message: null,
      since: null,
      next_probe_at: null,
    }
  return { state: 'blocked', ...blockage }
}

/** @param isNewestOnly whether there were more than were looked at */
function shownTries(tries: TriesRow | undefined, isNewestOnly: boolean) {
  const { attempts = 0, successes = 0, last_minute: perMinute = 0 } = tries ?? {}
  return {
    per_minute: perMinute,
    attempts_15m: attempts,
    success_share: attempts === 0 ? null : successes / attempts,
    newest_only: isNewestOnly,
  }
}

function shownError({ at, class: failureClass, reply_code, message }: LastErrorRow) {
  const words = message ?? `Failed: ${(failureClass ?? 'unknown').replaceAll('_', ' ')}`
  return { at: at.toISOString(), class: failureClass, reply_code, message: words }
}

async function listConfigured(project: string | null, ports: SettingsPorts): Promise<Configured[]> {
  const projects = (await listProjects(ports.database, project ?? undefined)).filter(
    ({ id, revision }) => project !== null || revision > 0 || id === DEFAULT_PROJECT_ID,
  )
  const operator = await operatorSettings(ports)
  const found: Configured[] = []
  for (const each of projects.slice(0, MOST_PROJECTS)) {
    const settings = each.id === DEFAULT_PROJECT_ID ? operator : await ownSettings(each.id, ports)
    const own = settings === undefined ? new Map<string, string>() : providersOf(settings)
    for (const [channel, provider] of own)
      found.push({ project: each, channel, provider, isShared: false, settings: settings ?? operator })
    if (project === null) continue
    for (const [channel, provider] of providersOf(operator))
      if (!own.has(channel)) found.push({ project: each, channel, provider, isShared: true, settings: operator })
  }
  return found
}
