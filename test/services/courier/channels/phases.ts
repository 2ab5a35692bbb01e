/** What must hold of the phases of any try. */
import assert from 'node:assert/strict'
import type { AttemptResult } from '../../../../services/courier/channels/channel.ts'

/** Floats that are differences of the same readings add up to the last digits. */
const ROUNDING_MS = 0.001

/** Asserts that these phases were measured and no others, none below zero, and that they fit into the time of the try. */
export function assertPhases({ timings }: AttemptResult, expected: readonly string[]): void {
  const { connectMs = 0, sendMs, phases = {} } = timings
  assert.deepEqual(Object.keys(phases).sort(), [...expected].sort())
  let sumMs = 0
  for (const [phase, ms] of Object.entries(phases)) {
    assert.ok(ms >= 0, `${phase} took ${ms} ms`)
    sumMs += ms
  }
  assert.ok(sumMs <= connectMs + sendMs + ROUNDING_MS, `${sumMs} ms of ${connectMs + sendMs} ms`)
}
