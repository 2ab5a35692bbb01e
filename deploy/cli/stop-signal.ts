/** An end that the user asks for, and that is no failure. */
export interface StopSignal extends Disposable {
  readonly stopping: AbortSignal
}

/** Aborts at the first SIGINT or SIGTERM, and when nobody reads what is printed, as after `head`; a second signal ends at once. */
export function onStopSignal(): StopSignal {
  const stop = new AbortController()
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(1)
    stop.abort()
  }
  const onClosed = (): void => stop.abort()
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  process.stdout.on('error', onClosed)
  return {
    stopping: stop.signal,
    [Symbol.dispose]: () => {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    },
  }
}
