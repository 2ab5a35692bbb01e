/** @returns runs `task`, never twice at once; calls that come meanwhile share one more run, which sees what they were called for. */
export function oneAtATime(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined

  function run(): Promise<void> {
    next = undefined
    running = task().finally(() => {
      running = undefined
    })
    return running
  }

  return () => {
    if (running === undefined) return run()
    next ??= running.then(run, run)
    return next
  }
}
