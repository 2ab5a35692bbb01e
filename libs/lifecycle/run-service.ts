/** A terminal signals the whole group, and launchers pass the same signal on: within this time they are one. */
const SAME_SIGNAL_MS = 2_000
/** What a service has for its drain, from the first signal to its exit. */
const GRACE_MS = 20_000

/**
 * Runs `body` to its end and exits 0, or 1 when it throws. The first SIGTERM or SIGINT aborts `stopping`; one that comes 2 s or
 * more later, or the end of `graceMs`, exits 1 at once.
 */
export async function runService(body: (stopping: AbortSignal) => Promise<void>, graceMs = GRACE_MS): Promise<never> {
  const stop = new AbortController()
  let firstAtMs = 0
  const onSignal = (): void => {
    if (stop.signal.aborted) {
      if (Date.now() - firstAtMs >= SAME_SIGNAL_MS) process.exit(1)
      return
    }
    firstAtMs = Date.now()
    stop.abort()
    setTimeout(() => {
      console.error(`not drained within ${graceMs / 1_000} s`)
      process.exit(1)
    }, graceMs).unref()
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  try {
    await body(stop.signal)
  } catch (error) {
    console.error(describe(error))
    process.exit(1)
  }
  process.exit(0)
}

/** One line for what the operator can mend, the stack for everything else. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.name === 'CodedError' ? error.message : (error.stack ?? error.message)
}
