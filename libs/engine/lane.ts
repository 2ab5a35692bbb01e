import type { EngineJob } from './answer.ts'
import type { EngineProcess, ProcessResult } from './engine-process.ts'
import type { JobQueue, QueuedJob } from './job-queue.ts'

/** Whatever 10,000 templates left behind in an instance goes with it. */
const JOBS_PER_PROCESS = 10_000

export interface LaneOptions {
  readonly timeoutMs: number
  readonly startProcess: () => Promise<EngineProcess>
}

/** The place of one process: it starts with the first job, and is replaced when it died or has done 10,000. */
export interface Lane extends AsyncDisposable {
  readonly isFree: () => boolean
  readonly isWarm: () => boolean
  /** Takes jobs until there are none. Only while free. */
  readonly serve: () => void
}

export function openLane(queue: JobQueue, { timeoutMs, startProcess }: LaneOptions): Lane {
  let engine: EngineProcess | undefined
  let jobs = 0
  let isClosed = false
  let isBusy = false
  let serving = Promise.resolve()

  async function serveAll(): Promise<void> {
    isBusy = true
    while (queue.hasNext()) {
      try {
        await start()
      } catch (error) {
        refuseNext(error)
        continue
      }
      const next = queue.take()
      if (next !== undefined) await answer(next)
    }
    isBusy = false // in the turn that saw nothing to take: a job that comes later finds this lane free
  }

  function refuseNext(error: unknown): void {
    const next = queue.take()
    if (next === undefined) return
    next.reject(error)
    queue.finish(next)
  }

  async function answer(next: QueuedJob): Promise<void> {
    try {
      const result = await run(next.job)
      next.resolve(result.answer)
      jobs += 1
      if (result.dead) queue.suspect(next.job)
      if (result.dead || jobs >= JOBS_PER_PROCESS) await replace()
    } catch (error) {
      next.reject(error)
      await stop()
    } finally {
      queue.finish(next)
    }
  }

  /**
   * What earlier jobs left in an instance shall cost no other its answer: out of memory counts on a fresh process only. A process that
   * crashed may have been killed from outside: the job runs once more, and its second answer counts.
   */
  async function run(job: EngineJob): Promise<ProcessResult> {
    const result = await engine!.run(job, timeoutMs)
    const isOutOfMemory = !result.answer.ok && result.answer.kind === 'memory'
    if (result.crashed !== true && (jobs === 0 || !isOutOfMemory)) return result
    await stop()
    await start()
    return await engine!.run(job, timeoutMs)
  }

  async function start(): Promise<void> {
    if (engine?.isGone() === true) await stop()
    if (!isClosed) engine ??= await startProcess()
    if (!isClosed) return
    await stop()
    throw new Error('the engine is closed')
  }

  async function stop(): Promise<void> {
    const stopped = engine
    engine = undefined
    jobs = 0
    await stopped?.close()
  }

  /** The new process starts now, before anyone waits for it; if it cannot, the next job tries again and reports why. */
  async function replace(): Promise<void> {
    await stop()
    if (!isClosed) await start().catch(() => undefined)
  }

  return {
    isFree: () => !isBusy,
    isWarm: () => engine !== undefined && !engine.isGone(),
    serve: () => {
      serving = serveAll()
    },
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      await stop()
      await serving
    },
  }
}
