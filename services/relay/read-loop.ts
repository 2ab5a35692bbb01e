/** When the outbox is read: often while rows come, rarely while none do, at once when there is news. */
import { type ReadPorts, readOutbox } from './read-outbox.ts'

export interface ReadLoopOptions {
  readonly ports: ReadPorts
  /** Ends early when there is news. */
  readonly pause: (ms: number) => Promise<void>
  readonly onError: (error: unknown) => void
  readonly stopping: AbortSignal
}

const BUSY_PAUSE_MS = 5
const IDLE_PAUSE_MS = 250
/** Several relays do not ask in step. */
const JITTER = 0.2
/** A sweep walks over every dead entry of the index: it may take a fiftieth of the time. */
const SWEEP_EVERY_MS = 30_000
const SWEEP_SHARE = 50

/** @returns a function that reads until it is told to stop */
export function openReadLoop({ ports, pause, onError, stopping }: ReadLoopOptions): () => Promise<void> {
  let nextSweepMs = ports.now() + SWEEP_EVERY_MS

  async function readOnce(): Promise<number> {
    const startedMs = ports.now()
    const sweep = startedMs >= nextSweepMs
    const found = await readOutbox(ports, { sweep })
    if (sweep) nextSweepMs = ports.now() + Math.max(SWEEP_EVERY_MS, SWEEP_SHARE * (ports.now() - startedMs))
    ports.lines.pump()
    return found
  }

  return async () => {
    let pauseMs = BUSY_PAUSE_MS
    while (!stopping.aborted) {
      try {
        const found = await readOnce()
        pauseMs = found > 0 ? BUSY_PAUSE_MS : Math.min(IDLE_PAUSE_MS, pauseMs * 2)
      } catch (error) {
        onError(error)
        pauseMs = IDLE_PAUSE_MS
      }
      await pause(pauseMs * (1 - JITTER + 2 * JITTER * Math.random()))
    }
  }
}
