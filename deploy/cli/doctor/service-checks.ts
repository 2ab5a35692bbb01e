/** The services: what the console says of every part, how far consumers are behind, and which channels stand still. */
import type { AdminClient } from '../admin-client.ts'
import { attempt, type Check, fail, ok, reasonOf, skip, warn } from './check.ts'

interface Part {
  readonly ok: boolean
  readonly detail?: string
  readonly parts?: Readonly<Record<string, { readonly ok?: boolean }>>
}

interface Channel {
  /** Slug. */
  readonly project: string
  readonly project_name: string
  readonly channel: string
  readonly provider: string | null
  readonly state: string
  readonly message: string | null
  readonly since: string | null
}

const TIMEOUT_MS = 5_000
const LAG = /^kafka_consumer_group_lag_sum(?:_[a-z]+)?\{([^}]*)\} ([0-9.eE+-]+)/gm
const GROUP = /messaging_consumer_group_name="([^"]*)"/
const MANY = 1_000
const START = 'Start the services: postrider up, or see why they ended; POSTRIDER_URL says where the console is.'

/** @param members base URLs of the health and metrics of couriers and projectors */
export async function serviceChecks(client: AdminClient, members: readonly string[]): Promise<Check[]> {
  const [health, groups, channels] = await Promise.all([
    attempt('console', START, () => checkHealth(client)),
    checkGroups(members),
    checkChannels(client),
  ])
  return [...health, ...groups, ...channels]
}

async function checkHealth({ base }: AdminClient): Promise<Check[]> {
  const response = await fetch(new URL('health/ready', base), { signal: AbortSignal.timeout(TIMEOUT_MS) })
  const { parts = {} } = (await response.json()) as { parts?: Readonly<Record<string, Part>> }
  return Object.entries(parts).map(([name, part]) => {
    if (part.ok) return ok(`service.${name}`, name === 'console' ? `ready at ${base}` : 'ready')
    const broken = Object.entries(part.parts ?? {}).flatMap(([inner, { ok: isUp }]) => (isUp === false ? [inner] : []))
    const detail = part.detail ?? (broken.length > 0 ? `not ready: ${broken.join(', ')}` : 'not ready')
    return fail(`service.${name}`, detail, `See the log of ${name}: logs in POSTRIDER_HOME, or that of its container.`)
  })
}

/** Every member tells how far it is behind; a group whose members are all away tells nothing. */
async function checkGroups(members: readonly string[]): Promise<Check[]> {
  const lags = new Map<string, { members: number; behind: number }>()
  for (const text of await Promise.all(members.map(metricsOf))) {
    for (const [group, behind] of lagsIn(text)) {
      const sum = lags.get(group) ?? { members: 0, behind: 0 }
      lags.set(group, { members: sum.members + 1, behind: sum.behind + behind })
    }
  }
  if (lags.size === 0)
    return [
      fail(
        'kafka.groups',
        'no courier and no projector answers with its metrics',
        'Start them; where they run elsewhere, postrider.console.peers says where their metrics are.',
      ),
    ]
  return [...lags].map(([group, { members: count, behind }]) => {
    const told = `${count} ${count === 1 ? 'member' : 'members'}, ${behind} ${behind === 1 ? 'record' : 'records'} behind`
    if (behind < MANY) return ok(`group.${group}`, told)
    return warn(
      `group.${group}`,
      told,
      'Add instances, up to one per partition, or see what they wait for in their log.',
    )
  })
}

async function metricsOf(base: string): Promise<string> {
  const url = new URL('/metrics', base)
  return fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    .then((response) => (response.ok ? response.text() : ''))
    .catch(() => '') // a member that is away is told by the health of its service
}

function lagsIn(metrics: string): Map<string, number> {
  const lags = new Map<string, number>()
  for (const [, labels = '', value] of metrics.matchAll(LAG)) {
    const group = GROUP.exec(labels)?.[1]
    if (group !== undefined) lags.set(group, (lags.get(group) ?? 0) + Number(value))
  }
  return lags
}

async function checkChannels(client: AdminClient): Promise<Check[]> {
  try {
    const channels = (await client.get('admin/courier/channels')).body as readonly Channel[]
    const blocked = channels.filter(({ state }) => state === 'blocked')
    if (blocked.length === 0) return [ok('channels', `${channels.length} configured, none stands still`)]
    return blocked.map(({ project, project_name: name, channel, provider, message, since }) =>
      warn(
        `channel.${project}.${channel}`,
        `${name}: ${provider ?? 'its provider'} stands still since ${since}: ${message}`,
        `Change what it says; postrider doctor --project ${project} goes there step by step.`,
      ),
    )
  } catch (error) {
    return [skip('channels', reasonOf(error))]
  }
}
