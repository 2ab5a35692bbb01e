/** Data of a view: loaded when its key changes, and again when asked; what came before stays until the new is there. */
import { useEffect, useRef, useState } from 'preact/hooks'

export interface Loaded<T> {
  readonly data: T | undefined
  readonly error: Error | undefined
  readonly isLoading: boolean
  readonly reload: () => void
}

/** @param everyMs loads again after so long while the tab is visible; 0 for never */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>, everyMs = 0): Loaded<T> {
  const [state, setState] = useState<{ data?: T; error?: Error; isLoading: boolean; key: string }>({
    isLoading: true,
    key,
  })
  const [turn, setTurn] = useState(0)
  const latest = useRef(load)
  latest.current = load

  // The key says what is loaded, the turn that it is loaded again.
  useEffect(() => {
    const abort = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const run = async (): Promise<void> => {
      try {
        const data = await latest.current(abort.signal)
        if (!abort.signal.aborted) setState({ data, isLoading: false, key })
      } catch (error) {
        if (!abort.signal.aborted) setState((before) => ({ ...before, error: error as Error, isLoading: false, key }))
      }
      if (everyMs > 0 && !abort.signal.aborted) timer = setTimeout(again, everyMs)
    }
    const again = (): void => {
      if (document.hidden) document.addEventListener('visibilitychange', run, { once: true, signal: abort.signal })
      else run()
    }
    setState((before) => ({
      ...before,
      isLoading: true,
      ...(before.key !== key && { data: undefined as T, error: undefined as never }),
    }))
    run()
    return () => {
      abort.abort()
      clearTimeout(timer)
    }
  }, [key, turn, everyMs])

  return {
    data: state.key === key ? state.data : undefined,
    error: state.error,
    isLoading: state.isLoading,
    reload: () => setTurn((before) => before + 1),
  }
}
