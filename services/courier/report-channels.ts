/** Tells the others why messages wait: which channels this courier finds blocked, when that changes and while it lasts. */
import type { Blockage } from './admission/breaker.ts'
import type { ChannelReport } from './channel-repository.ts'
import type { SelectedChannel } from './select-channel.ts'

export interface BlockedChannel {
  /** undefined: the operator's channel, for every project without a configuration of its own. */
  readonly projectId: string | undefined
  readonly channel: string
  readonly blockage: Blockage
}

export interface ReportPorts {
  readonly blocked: () => readonly BlockedChannel[]
  /** Puts these in the place of what was told before. */
  readonly replaceReports: (reports: readonly ChannelReport[]) => Promise<void>
  readonly now: () => number
}

/** A report counts for 15 s. */
const REPEAT_MS = 5_000
const NOTHING = '[]'

/** @returns to be called every second or two, never twice at once: what could not be told is told at the next call. */
export function openChannelReporter({ blocked, replaceReports, now }: ReportPorts): () => Promise<void> {
  let told = NOTHING
  let toldAtMs = 0
  return async () => {
    const reports = blocked().map(reportOf)
    const text = JSON.stringify(reports)
    const isFresh = text === NOTHING || now() - toldAtMs < REPEAT_MS
    if (text === told && isFresh) return
    await replaceReports(reports)
    told = text
    toldAtMs = now()
  }
}

type Channels = ReadonlyMap<string, SelectedChannel>

/** The channels whose messages wait: of the operator, and of each project with a configuration those that take its mail. */
export function blockedChannels(
  shared: Channels,
  own: Iterable<readonly [projectId: string, of: { readonly channels: Channels }]>,
): BlockedChannel[] {
  const found = blockedAmong(undefined, shared)
  // A project may have a configuration and yet send through the operator's channel.
  for (const [projectId, { channels }] of own) found.push(...blockedAmong(projectId, new Map([...shared, ...channels])))
  return found
}

function blockedAmong(projectId: string | undefined, channels: Channels): BlockedChannel[] {
  return [...channels].flatMap(([channel, { blockage, next }]) => {
    const found = blockage()
    const isTakenElsewhere = next !== undefined && next.blockage() === undefined
    return found === undefined || isTakenElsewhere ? [] : [{ projectId, channel, blockage: found }]
  })
}

function reportOf({ projectId, channel, blockage }: BlockedChannel): ChannelReport {
  const { failure, sinceMs, nextProbeAtMs } = blockage
  return {
    projectId: projectId ?? null,
    channel,
    class: failure.class,
    replyCode: failure.replyCode ?? null,
    enhancedCode: failure.enhancedCode ?? null,
    message: failure.message,
    since: new Date(sinceMs),
    nextProbeAt: new Date(nextProbeAtMs),
  }
}
