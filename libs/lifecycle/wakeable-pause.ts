/** A pause that ends early when there is news. */
export interface WakeablePause {
  /** Resolves after `ms`, at the next `wake`, or at once when there was one since the last pause ended. */
  readonly pause: (ms: number) => Promise<void>
  readonly wake: () => void
}

export function openWakeablePause(): WakeablePause {
  let hasNews = false
  let end: (() => void) | undefined

  return {
    pause: (ms) => {
      if (hasNews) {
        hasNews = false
        return Promise.resolve()
      }
      return new Promise((resolve) => {
        const timer = setTimeout(finish, ms)
        function finish(): void {
          clearTimeout(timer)
          end = undefined
          hasNews = false
          resolve()
        }
        end = finish
      })
    },
    wake: () => {
      hasNews = true
      end?.()
    },
  }
}
