import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import pino from 'pino'
import { EVENT_STATES } from '#libs/messages'
import { logTry } from '../../../services/courier/log-tries.ts'
import { newId, TRACEPARENT } from './deliveries.ts'
import { statusEvent } from './events.ts'

function linesAt(level: string) {
  const lines: Record<string, unknown>[] = []
  const formatters = { level: (label: string) => ({ level: label }) }
  const log = pino({ level, formatters }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  return { log, lines }
}

describe('logTry', () => {
  it('names message and trace of every outcome', () => {
    const { log, lines } = linesAt('debug')
    for (const state of EVENT_STATES) logTry(statusEvent(newId(), state, 2), log)
    assert.equal(lines.length, EVENT_STATES.length)
    for (const line of lines) {
      assert.equal(line.trace_id, TRACEPARENT.slice(3, 35))
      assert.equal(line.span_id, TRACEPARENT.slice(36, 52))
      assert.match(String(line.message_id), /^[0-9a-f-]{36}$/)
      assert.equal(line.attempt, 2)
    }
  })

  it('is silent about what was sent unless asked, and warns of what ended badly', () => {
    const { log, lines } = linesAt('info')
    for (const state of ['sent', 'deferred', 'abandoned', 'expired', 'held'] as const)
      logTry(statusEvent(newId(), state, 1), log)
    assert.deepEqual(
      lines.map(({ outcome, level }) => [outcome, level]),
      [
        ['deferred', 'info'],
        ['abandoned', 'warn'],
        ['expired', 'warn'],
        ['held', 'warn'],
      ],
    )
  })
})
