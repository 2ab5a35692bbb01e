/**
 * Which channel delivers a message: its project's own where it has one, else the operator's. Follows revisions without a restart:
 * the next attempt takes the new channel, the old one drains. One project's broken settings never touch another's mail.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from '#libs/config'
import type { RetryPolicy } from '#libs/delivery'
import { messageOf } from '#libs/errors'
import { DEFAULT_PROJECT_ID, type MessageRecord } from '#libs/messages'
import type { ProjectRevision } from '#libs/projects'
import type { Logger } from '#libs/telemetry'
import type { Channel } from './channels/channel.ts'
import type { DueShares } from './lease-ledger.ts'
import { type ChannelTools, type DeliverySettings, hasTarget } from './open-channels.ts'
import type { SenderOf, TemplatesOf } from './prepare-mail.ts'
import { openDelivery, type ProjectDelivery, withNext } from './project-delivery.ts'
import { openProjectTools, type ProjectTools } from './project-tools.ts'
import { type BlockedChannel, blockedChannels } from './report-channels.ts'
import { policyFor } from './retry-policies.ts'
import type { SelectChannel, SelectedChannel } from './select-channel.ts'
import { senderName } from './sender-name.ts'
import { warnOfIgnored } from './warn-of-ignored.ts'

/** What the operator configures: for its own project, and for every one that says nothing else. */
export type OperatorSettings = DeliverySettings & Pick<Config, 'clients'>

export interface ProjectChannels {
  readonly select: SelectChannel
  readonly ofKey: (channelKey: string) => SelectedChannel | undefined
  /** The templates of a message's project; the operator's where it has none. */
  readonly templatesOf: TemplatesOf
  /** Whose name a mail of a project bears that goes through the operator's channel. */
  readonly senderOf: SenderOf
  /** How often and when a message of its project is tried. */
  readonly policyOf: (record: MessageRecord) => RetryPolicy
  /** Whether it is not known how a message is to go: the settings of its project cannot be read here, and the operator's are not its own. */
  readonly mustWait: (record: MessageRecord) => boolean
  /** Notes a project whose settings cannot be read, until there are some that can. */
  readonly noteUnreadable: (projectId: string) => void
  /** What each channel may have of what is due. */
  readonly shares: (roomOf: (channelKey: string) => number) => DueShares
  /** Opens what new revisions changed, and closes what they replace. */
  readonly follow: (revisions: readonly ProjectRevision[]) => void
  /** Called back when messages may have another channel than before. */
  readonly onChange: (callback: () => void) => void
  /** Called back when a place comes free in any channel. */
  readonly onFree: (callback: () => void) => void
  /** Every channel that is open, the next providers among them. */
  readonly all: () => Iterable<SelectedChannel>
  /** Channels whose messages wait now, because nothing that could take them works. */
  readonly blocked: () => BlockedChannel[]
  readonly close: () => Promise<void>
}

interface Own extends ProjectDelivery {
  readonly number: number
  readonly sender: string | undefined
}

/** What is under way in a replaced channel ends by itself: cut off, a mail might go out twice. */
const PATIENCE_MS = 600_000

/** @throws CONFIG_INVALID, SMTP_URI_INVALID for the operator's settings; those of revisions are reported and passed over */
export function openProjectChannels(
  root: OperatorSettings,
  ports: Pick<ChannelTools, 'engine' | 'rateOf'>,
  log: Logger,
): ProjectChannels {
  const own = new Map<string, Own>()
  const unreadable = new Set<string>()
  const byKey = new Map<string, SelectedChannel>()
  const closing = new Map<Channel, Promise<void>>()
  let wake: () => void = () => undefined
  let changed: () => void = () => undefined
  let { clients } = root
  let tools = openProjectTools(ports, clients)
  let operator: ProjectDelivery = openDelivery(root, operatorPorts(tools))
  let operatorNumber = 0

  function operatorPorts({ operator: tools }: ProjectTools) {
    return { tools, log, prefix: '' }
  }

  function openOwn(projectId: string, settings: DeliverySettings, known?: ProjectDelivery): ProjectDelivery {
    return openDelivery(settings, { tools: tools.tenant, log, prefix: `${projectId}/` }, known)
  }

  function watch({ channels }: ProjectDelivery): void {
    for (const channel of withNext(channels)) {
      byKey.set(channel.key, channel)
      channel.port.onFree(() => wake())
    }
  }

  function retire({ channels }: ProjectDelivery): void {
    for (const { key, port } of withNext(channels)) {
      if (byKey.get(key)?.port === port) byKey.delete(key)
      closing.set(
        port,
        port.close(PATIENCE_MS).finally(() => closing.delete(port)),
      )
    }
  }

  /** @returns whether messages may have another channel now */
  function replace(known: ProjectDelivery | undefined, next: ProjectDelivery): boolean {
    if (known?.channels === next.channels) return false
    watch(next)
    if (known !== undefined) retire(known)
    return true
  }

  function followOperator({ number, settings }: ProjectRevision): boolean {
    const hasSameReach = isDeepStrictEqual(reachOf(clients), reachOf(settings.clients))
    const nextTools = hasSameReach ? tools : openProjectTools(ports, settings.clients)
    const next = openDelivery(settings, operatorPorts(nextTools), hasSameReach ? operator : undefined)
    const isMoved = replace(operator, next)
    operator = next
    operatorNumber = number
    clients = settings.clients
    if (hasSameReach) return isMoved
    tools = nextTools
    for (const [projectId, known] of own) {
      const opened = openOwn(projectId, known.settings)
      replace(known, opened)
      own.set(projectId, { ...known, ...opened })
    }
    return true
  }

  function followProject({ projectId, number, name, settings }: ProjectRevision): boolean {
    const known = own.get(projectId)
    const sender = hasTarget(settings) ? undefined : senderName(name)
    if (known?.number === number) {
      own.set(projectId, { ...known, sender })
      return false
    }
    const opened = openOwn(projectId, settings, known)
    const isMoved = replace(known, opened)
    own.set(projectId, { ...opened, number, sender })
    unreadable.delete(projectId)
    warnOfIgnored(settings, log.child({ project_id: projectId, revision: number }))
    return isMoved
  }

  function followOne(revision: ProjectRevision): boolean {
    const { projectId, number } = revision
    const isOperators = projectId === DEFAULT_PROJECT_ID
    const numberBefore = isOperators ? operatorNumber : (own.get(projectId)?.number ?? 0)
    if (number < numberBefore || (isOperators && number === numberBefore)) return false
    try {
      const isMoved = isOperators ? followOperator(revision) : followProject(revision)
      if (number > numberBefore)
        log.info({ project_id: projectId, revision: number }, 'delivery settings of a project taken over')
      return isMoved
    } catch (error) {
      const reason = messageOf(error)
      log.error({ project_id: projectId, revision: number, reason }, 'delivery settings of a project left out')
      noteUnreadable(projectId)
      return false
    }
  }

  function noteUnreadable(projectId: string): void {
    if (projectId !== DEFAULT_PROJECT_ID && !own.has(projectId)) unreadable.add(projectId)
  }

  watch(operator)
  return {
    noteUnreadable,
    mustWait: ({ project_id }) => unreadable.has(project_id),
    templatesOf: ({ project_id }) => (own.get(project_id) ?? operator).templates,
    senderOf: ({ project_id }) => own.get(project_id)?.sender,
    policyOf: ({ project_id, template_type }) => policyFor((own.get(project_id) ?? operator).policies, template_type),
    ofKey: (key) => byKey.get(key),
    select: ({ project_id, channel }) => own.get(project_id)?.channels.get(channel) ?? operator.channels.get(channel),
    shares: (roomOf) => ({
      own: [...own].flatMap(([projectId, { channels }]) =>
        [...channels].map(([channel, { key }]) => ({ projectId, channel, most: roomOf(key) })),
      ),
      others: [...operator.channels].map(([channel, { key }]) => ({ channel, most: roomOf(key) })),
    }),
    follow: (revisions) => {
      if (revisions.map(followOne).includes(true)) changed()
    },
    onChange: (callback) => {
      changed = callback
    },
    onFree: (callback) => {
      wake = callback
    },
    all: () => byKey.values(),
    blocked: () => blockedChannels(operator.channels, own),
    close: async () => {
      for (const delivery of [operator, ...own.values()]) retire(delivery)
      // What is still under way gets no more time than any channel has at the end.
      await Promise.all([...closing.keys()].map((port) => port.close()))
    },
  }
}

/** Where connections may go. */
function reachOf({ http, smtp }: Config['clients']): unknown {
  return { http, smtp }
}
