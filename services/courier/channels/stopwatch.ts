/** Splits the opening of a connection into its phases. One per connection, not per mail. */
import { performance } from 'node:perf_hooks'
import type { AttemptPhases } from './channel.ts'

export interface Stopwatch {
  /** Ends the phase under way and begins another, or goes on with one that there was before. */
  readonly begin: (phase: keyof AttemptPhases) => void
  /** Ends the phase under way, if there is one. @returns all phases so far */
  readonly end: () => AttemptPhases
}

export function openStopwatch(): Stopwatch {
  const phases: { -readonly [Phase in keyof AttemptPhases]: number } = {}
  let current: keyof AttemptPhases | undefined
  let sinceMs = 0

  function end(): AttemptPhases {
    if (current !== undefined) phases[current] = (phases[current] ?? 0) + performance.now() - sinceMs
    current = undefined
    return phases
  }

  return {
    begin: (phase) => {
      end()
      current = phase
      sinceMs = performance.now()
    },
    end,
  }
}
