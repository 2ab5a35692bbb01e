/**
 * Which channel delivers a message: its project's own where it has one, else the operator's. Follows revisions without a restart:
 * the next attempt takes the new channel, the old one drains. One project's broken settings never touch another's mail.
 */
import { messageOf } from '#libs/errors'
import type { Logger } from '#libs/telemetry'
import { openTemplates, type Templates, toldProblem } from '#libs/templates'
import type { DueShares } from './lease-ledger.ts'
import { type ChannelTools, type DeliverySettings, openChannels } from './open-channels.ts'
import type { TemplatesOf } from './prepare-mail.ts'
import { type BlockedChannel, blockedChannels } from './report-channels.ts'
import type { SelectChannel, SelectedChannel } from './select-channel.ts'

/** The newest revision of a project's configuration that could be read. */
export interface ProjectRevision {
  readonly projectId: string
  readonly number: number
  readonly settings: DeliverySettings
}

export interface ProjectChannels {
  readonly select: SelectChannel
  readonly ofKey: (channelKey: string) => SelectedChannel | undefined
  /** The templates of a message's project; the operator's where it has none. */
  readonly templatesOf: TemplatesOf
  /** What each channel may have of what is due. */
  readonly shares: (roomOf: (channelKey: string) => number) => DueShares
  /** Opens the channels of new revisions and closes those they replace. */
  readonly follow: (revisions: readonly ProjectRevision[]) => void
  /** Called back when a place comes free in any channel. */
  readonly onFree: (callback: () => void) => void
  /** Channels whose messages wait now, because nothing that could take them works. */
  readonly blocked: () => BlockedChannel[]
  readonly close: () => Promise<void>
}

type Channels = ReadonlyMap<string, SelectedChannel>

interface Own {
  readonly number: number
  readonly templates: Templates
  readonly channels: Channels
}

/** @throws CONFIG_INVALID, SMTP_URI_INVALID for the operator's settings; those of projects are reported and passed over */
export function openProjectChannels(operator: DeliverySettings, tools: ChannelTools, log: Logger): ProjectChannels {
  const shared = openChannels(operator, tools)
  const own = new Map<string, Own>()
  const byKey = new Map<string, SelectedChannel>()
  const closing = new Set<Promise<void>>()
  let wake: () => void = () => undefined

  function watch(channels: Channels): Channels {
    for (const channel of withNext(channels)) {
      byKey.set(channel.key, channel)
      channel.port.onFree(() => wake())
    }
    return channels
  }

  function retire(channels: Channels): void {
    for (const { key, port } of withNext(channels)) {
      if (byKey.get(key)?.port === port) byKey.delete(key)
      const closed = port.close().finally(() => closing.delete(closed))
      closing.add(closed)
    }
  }

  function followOne({ projectId, number, settings }: ProjectRevision): void {
    const known = own.get(projectId)
    if (known !== undefined && known.number >= number) return
    try {
      const channels = hasTarget(settings) ? openChannels(settings, tools, `${projectId}/`) : new Map()
      own.set(projectId, { number, templates: templatesOf(settings), channels: watch(channels) })
      if (known !== undefined) retire(known.channels)
      log.info({ project_id: projectId, revision: number }, 'delivery settings of a project taken over')
      wake()
    } catch (error) {
      const reason = messageOf(error)
      log.error({ project_id: projectId, revision: number, reason }, 'delivery settings of a project left out')
    }
  }

  function templatesOf({ courier }: DeliverySettings): Templates {
    const templates = openTemplates({
      engine: tools.engine,
      resources: tools.resources,
      templates: courier.templates,
      overridePath: courier.template_override_path,
      onProblem: (problem) => log.warn({ reason: toldProblem(problem) }, 'template replaced by the built-in'),
    })
    // Early, so that a mistake is told before a mail meets it, and what is right is warm.
    templates.validate().catch((error) => log.warn({ reason: messageOf(error) }, 'templates not checked'))
    return templates
  }

  const operatorTemplates = templatesOf(operator)
  watch(shared)
  return {
    templatesOf: ({ project_id }) => own.get(project_id)?.templates ?? operatorTemplates,
    ofKey: (key) => byKey.get(key),
    select: ({ project_id, channel }) => own.get(project_id)?.channels.get(channel) ?? shared.get(channel),
    shares: (roomOf) => ({
      own: [...own].flatMap(([projectId, { channels }]) =>
        [...channels].map(([channel, { key }]) => ({ projectId, channel, most: roomOf(key) })),
      ),
      others: [...shared].map(([channel, { key }]) => ({ channel, most: roomOf(key) })),
    }),
    follow: (revisions) => {
      for (const revision of revisions) followOne(revision)
    },
    onFree: (callback) => {
      wake = callback
    },
    blocked: () => blockedChannels(shared, own),
    close: async () => {
      retire(shared)
      for (const { channels } of own.values()) retire(channels)
      await Promise.all(closing)
    },
  }
}

function withNext(channels: Channels): SelectedChannel[] {
  return [...channels.values()].flatMap((channel) => (channel.next === undefined ? channel : [channel, channel.next]))
}

/** Whether a project says where its mail goes; without that the operator's channel takes it. */
function hasTarget({ courier }: DeliverySettings): boolean {
  return courier.delivery_strategy === 'http' || courier.smtp.connection_uri !== undefined
}
