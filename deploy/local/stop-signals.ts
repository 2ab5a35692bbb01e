/** SIGINT, SIGTERM and SIGHUP as two events: asked to stop, and asked again by someone who will not wait. */

/** A terminal signals the whole group, and npm and the launcher pass the same signal on: within this time they are one. */
const SAME_SIGNAL_MS = 2_000

export interface StopSignals extends Disposable {
  /** Aborted by the first signal. */
  readonly stopping: AbortSignal
  /** Aborted by one that comes 2 s or more after the first. */
  readonly hurrying: AbortSignal
}

export function catchStopSignals(): StopSignals {
  const stop = new AbortController()
  const hurry = new AbortController()
  let firstAt = 0
  const onSignal = (): void => {
    if (!stop.signal.aborted) {
      firstAt = Date.now()
      stop.abort()
    } else if (Date.now() - firstAt >= SAME_SIGNAL_MS) hurry.abort()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, onSignal)
  return {
    stopping: stop.signal,
    hurrying: hurry.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) process.off(signal, onSignal)
    },
  }
}
