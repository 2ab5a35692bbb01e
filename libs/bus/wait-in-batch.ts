import type { Assignment } from './assignment.ts'

/**
 * Waits in a batch handler while heartbeats go on, so that waiting longer than the session's timeout costs no membership. Ends early
 * when the assignment is over.
 * @throws what a heartbeat met, such as a rebalance: kafkajs must learn of it from the handler
 */
export function waitInBatch(
  waited: Promise<void>,
  assignment: Assignment,
  heartbeat: () => Promise<void>,
  intervalMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearInterval(timer)
      assignment.onOver = undefined
    }
    const end = (): void => {
      stop()
      resolve()
    }
    const fail = (error: unknown): void => {
      stop()
      reject(error)
    }
    const timer = setInterval(() => heartbeat().catch(fail), intervalMs)
    assignment.onOver = end
    waited.then(end, fail)
    if (assignment.isOver) end()
  })
}
