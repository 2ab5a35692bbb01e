/**
 * Jobs that wait for a process, in the order in which they came. A source that ran into a limit is a suspect for a minute, and of suspects
 * one runs at a time, so that they never hold every process.
 */
import { CodedError } from '#libs/errors'
import type { EngineAnswer, EngineJob } from './answer.ts'
import { openSuspects } from './suspects.ts'

/** More than a courier has in flight; who meets it waits and comes again. */
const MAX_WAITING = 1_000

export interface QueuedJob {
  readonly job: EngineJob
  readonly isSuspect: boolean
  readonly resolve: (answer: EngineAnswer) => void
  readonly reject: (error: unknown) => void
}

export interface JobQueue {
  /** @throws ENGINE_BUSY (1,000 jobs wait already) */
  readonly add: (job: EngineJob) => Promise<EngineAnswer>
  readonly hasNext: () => boolean
  /** Whoever takes a job settles it, and then calls `finish`. */
  readonly take: () => QueuedJob | undefined
  readonly finish: (taken: QueuedJob) => void
  /** Makes the job's source a suspect. */
  readonly suspect: (job: EngineJob) => void
  readonly rejectAll: (error: Error) => void
  readonly length: () => number
}

export function openJobQueue(): JobQueue {
  const waiting: QueuedJob[] = []
  const suspects = openSuspects()
  let isSuspectRunning = false
  const nextAt = (): number => waiting.findIndex(({ isSuspect }) => !isSuspect || !isSuspectRunning)

  return {
    add: (job) => {
      if (waiting.length >= MAX_WAITING) throw new CodedError('ENGINE_BUSY', `${MAX_WAITING} templates wait already`)
      return new Promise((resolve, reject) => {
        waiting.push({ job, isSuspect: suspects.has(job), resolve, reject })
      })
    },
    hasNext: () => nextAt() >= 0,
    take: () => {
      const at = nextAt()
      const taken = at < 0 ? undefined : waiting.splice(at, 1)[0]
      isSuspectRunning ||= taken?.isSuspect === true
      return taken
    },
    finish: ({ isSuspect }) => {
      if (isSuspect) isSuspectRunning = false
    },
    suspect: suspects.add,
    rejectAll: (error) => {
      for (const { reject } of waiting.splice(0)) reject(error)
    },
    length: () => waiting.length,
  }
}
