/** What one configuration makes of delivery: its channels, its templates and its policies. */
import { isDeepStrictEqual } from 'node:util'
import { messageOf } from '#libs/errors'
import type { Logger } from '#libs/telemetry'
import { openTemplates, type Templates, toldProblem } from '#libs/templates'
import { type ChannelTools, type DeliverySettings, openChannels } from './open-channels.ts'
import { type RetryPolicies, retryPoliciesOf } from './retry-policies.ts'
import type { SelectedChannel } from './select-channel.ts'

export interface ProjectDelivery {
  readonly settings: DeliverySettings
  readonly channels: ReadonlyMap<string, SelectedChannel>
  readonly templates: Templates
  readonly policies: RetryPolicies
}

export interface DeliveryPorts {
  readonly tools: ChannelTools
  readonly log: Logger
  /** Before the keys of channels; empty for the operator. */
  readonly prefix: string
}

/**
 * @param known what the same project had before, under the same tools: of it stays open what did not change. A channel that is blocked
 * is opened anew, so that new settings are tried at once.
 * @throws CONFIG_INVALID, SMTP_URI_INVALID
 */
export function openDelivery(
  settings: DeliverySettings,
  { tools, log, prefix }: DeliveryPorts,
  known?: ProjectDelivery,
): ProjectDelivery {
  const channels =
    known !== undefined && isUnchanged(channelPart, known, settings) && !isBlocked(known)
      ? known.channels
      : openChannels(settings, tools, prefix)
  const templates =
    known !== undefined && isUnchanged(templatePart, known, settings)
      ? known.templates
      : openOwnTemplates(settings, tools, log)
  return { settings, channels, templates, policies: retryPoliciesOf(settings) }
}

/** A channel with the next provider behind it. */
export function withNext(channels: ProjectDelivery['channels']): SelectedChannel[] {
  return [...channels.values()].flatMap((channel) => (channel.next === undefined ? channel : [channel, channel.next]))
}

function channelPart({ courier, postrider }: DeliverySettings): unknown {
  const { delivery_strategy, smtp, http, channels } = courier
  const { fallback, rate, concurrency } = postrider.courier
  return { delivery_strategy, smtp, http, channels, fallback, rate, concurrency }
}

function templatePart({ courier }: DeliverySettings): unknown {
  return { templates: courier.templates, folder: courier.template_override_path ?? '' }
}

function isUnchanged(
  part: (settings: DeliverySettings) => unknown,
  known: ProjectDelivery,
  settings: DeliverySettings,
): boolean {
  return isDeepStrictEqual(part(known.settings), part(settings))
}

function isBlocked({ channels }: ProjectDelivery): boolean {
  return withNext(channels).some(({ blockage }) => blockage() !== undefined)
}

function openOwnTemplates({ courier }: DeliverySettings, tools: ChannelTools, log: Logger): Templates {
  const templates = openTemplates({
    engine: tools.engine,
    resources: tools.resources,
    templates: courier.templates,
    overridePath: tools.readsFiles ? courier.template_override_path : undefined,
    onProblem: (problem) => log.warn({ reason: toldProblem(problem) }, 'template replaced by the built-in'),
  })
  // Early, so that a mistake is told before a mail meets it, and what is right is warm.
  templates.validate().catch((error) => log.warn({ reason: messageOf(error) }, 'templates not checked'))
  return templates
}
