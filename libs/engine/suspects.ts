import { createHash } from 'node:crypto'
import type { EngineJob } from './answer.ts'

const SUSPECT_MS = 60_000
/** The oldest are forgotten first; each is 64 characters. */
const MAX_SUSPECTS = 1_000

export interface Suspects {
  readonly add: (job: EngineJob) => void
  readonly has: (job: EngineJob) => boolean
}

/** Remembers for a minute which sources ran into a limit. */
export function openSuspects(nowMs: () => number = Date.now): Suspects {
  const untilMs = new Map<string, number>()
  return {
    add: (job) => {
      const key = sourceKey(job)
      untilMs.delete(key) // the map's order is the order of the latest offence
      untilMs.set(key, nowMs() + SUSPECT_MS)
      for (const [oldest, until] of untilMs) {
        if (until > nowMs() && untilMs.size <= MAX_SUSPECTS) return
        untilMs.delete(oldest)
      }
    },
    has: (job) => untilMs.size > 0 && (untilMs.get(sourceKey(job)) ?? 0) > nowMs(),
  }
}

/** The first input of every job is its source. */
function sourceKey({ inputs }: EngineJob): string {
  return createHash('sha256').update(inputs[0]!).digest('hex')
}
