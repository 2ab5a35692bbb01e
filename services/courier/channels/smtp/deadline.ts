/** A deadline that moves several times per mail without a timer being made each time. */

export interface Deadline {
  /** Due in `ms` from now, in place of what was set before. */
  readonly set: (ms: number) => void
  readonly clear: () => void
}

/** The one timer runs to the earliest time that was set since it started, and then on to what is due by then. */
export function openDeadline(onDue: () => void): Deadline {
  let dueAt = Number.POSITIVE_INFINITY
  let wakeAt = Number.POSITIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  function sleepUntil(at: number, now: number): void {
    wakeAt = at
    timer = setTimeout(wake, Math.max(1, Math.ceil(at - now)))
  }

  function wake(): void {
    timer = undefined
    wakeAt = Number.POSITIVE_INFINITY
    const now = performance.now()
    if (dueAt > now) return sleepUntil(dueAt, now)
    dueAt = Number.POSITIVE_INFINITY
    onDue()
  }

  return {
    set: (ms) => {
      const now = performance.now()
      dueAt = now + ms
      if (dueAt >= wakeAt) return
      clearTimeout(timer)
      sleepUntil(dueAt, now)
    },
    clear: () => {
      clearTimeout(timer)
      dueAt = Number.POSITIVE_INFINITY
      wakeAt = Number.POSITIVE_INFINITY
      timer = undefined
    },
  }
}
