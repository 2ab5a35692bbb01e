import type { EngineAnswer, EngineJob } from './answer.ts'
import { openJobQueue } from './job-queue.ts'
import { type LaneOptions, openLane } from './lane.ts'

export interface ProcessPool extends AsyncDisposable {
  /**
   * @throws ENGINE_BUSY (1,000 jobs wait already)
   * @throws what keeps a process from starting
   */
  readonly run: (job: EngineJob) => Promise<EngineAnswer>
  readonly waiting: () => number
}

/** Shares `workers` processes among jobs. Closing it rejects every job that has no answer yet. */
export function openProcessPool(options: LaneOptions & { readonly workers: number }): ProcessPool {
  const queue = openJobQueue()
  const lanes = Array.from({ length: options.workers }, () => openLane(queue, options))
  let isClosed = false
  return {
    run: async (job) => {
      if (isClosed) throw new Error('the engine is closed')
      const answer = queue.add(job)
      const free = lanes.filter((lane) => lane.isFree())
      const lane = free.find((one) => one.isWarm()) ?? free[0]
      lane?.serve()
      return await answer
    },
    waiting: queue.length,
    [Symbol.asyncDispose]: async () => {
      isClosed = true
      queue.rejectAll(new Error('the engine is closed'))
      await Promise.all(lanes.map((lane) => lane[Symbol.asyncDispose]()))
    },
  }
}
