/** Tells the others why messages wait: which channels this courier finds blocked, when that changes and while it lasts. */
import type { Blockage } from './admission/breaker.ts'
import type { ChannelReport } from './channel-repository.ts'
import type { SelectedChannel } from './select-channel.ts'

export interface BlockedChannel {
  /** undefined: the operator's channel, for every project without one of its own. */
  readonly projectId: string | undefined
  /** Those that have one; empty for a project's own channel. */
  readonly exceptFor: readonly string[]
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

type Projects = Iterable<readonly [projectId: string, of: { readonly channels: Channels }]>

/** The channels whose messages wait: of the operator, and of each project its own. */
export function blockedChannels(shared: Channels, own: Projects): BlockedChannel[] {
  const found = blockedAmong(undefined, shared, own)
  for (const [projectId, { channels }] of own) found.push(...blockedAmong(projectId, channels, []))
  return found
}

function blockedAmong(projectId: string | undefined, channels: Channels, others: Projects): BlockedChannel[] {
  return [...channels].flatMap(([channel, { blockage, next }]) => {
    const found = blockage()
    const isTakenElsewhere = next !== undefined && next.blockage() === undefined
    if (found === undefined || isTakenElsewhere) return []
    const exceptFor = [...others].filter(([, of]) => of.channels.has(channel)).map(([id]) => id)
    return [{ projectId, exceptFor, channel, blockage: found }]
  })
}

function reportOf({ projectId, exceptFor, channel, blockage }: BlockedChannel): ChannelReport {
  const { failure, sinceMs, nextProbeAtMs } = blockage
  return {
    projectId: projectId ?? null,
    exceptFor,
    channel,
    class: failure.class,
    replyCode: failure.replyCode ?? null,
    enhancedCode: failure.enhancedCode ?? null,
    message: failure.message,
    since: new Date(sinceMs),
    nextProbeAt: new Date(nextProbeAtMs),
  }
}
