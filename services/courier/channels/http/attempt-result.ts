/** What the courier is told about one try. */
import { performance } from 'node:perf_hooks'
import type { AttemptPhases, AttemptReply, AttemptResult, OutgoingMail } from '../channel.ts'
import type { Connection } from './connection.ts'
import { describeSignal } from './describe-signal.ts'
import type { Answer } from './exchange.ts'
import type { HttpSignal } from './http-signal.ts'
import { providerIdOf } from './provider-id.ts'
import { retryAfterMs } from './retry-after.ts'
import type { SettledRequest } from './settle-request.ts'

export interface EndedTry {
  readonly signal?: HttpSignal
  readonly answer?: Answer
  /** undefined where nothing was asked of the provider. */
  readonly connection?: Connection
  /** On the clock of `performance.now()`: when the request began, or the try where it did not come that far. */
  readonly startedAtMs: number
}

export interface TriedRequest {
  readonly mail: OutgoingMail
  readonly request: SettledRequest
  /** Where the request is configured. */
  readonly setting: string
  readonly nowMs: number
}

const MAX_TEXT_BYTES = 1024

export function attemptResult(ended: EndedTry, { mail, request, setting, nowMs }: TriedRequest): AttemptResult {
  const { answer, connection } = ended
  const signal = ended.signal ?? signalOf(answer, nowMs)
  const known = {
    ...timingOf(ended),
    method: request.method,
    peer: { host: request.url.hostname.replace(/^\[(.*)\]$/, '$1'), port: request.port, ...connection?.peer },
    ...(answer !== undefined && { reply: replyOf(answer) }),
  }
  if (signal !== undefined) {
    const failure = describeSignal(signal, { method: request.method, place: request.place, setting })
    return { ...known, outcome: signal.kind === 'unanswered' ? 'unknown' : 'failed', failure }
  }
  const id = answer === undefined ? undefined : providerIdOf(answer.headers, answer.body, mail.recipient)
  return { ...known, outcome: 'accepted', ...(id !== undefined && { providerMessageId: id }) }
}

/** undefined: accepted. */
function signalOf(answer: Answer | undefined, nowMs: number): HttpSignal | undefined {
  if (answer === undefined || (answer.status >= 200 && answer.status < 300)) return undefined
  const { status, headers } = answer
  return { kind: 'status', status, retryAfterMs: retryAfterMs(headers['retry-after'], nowMs) }
}

function timingOf(ended: EndedTry): Pick<AttemptResult, 'reused' | 'startedAt' | 'timings'> {
  const { signal, answer, connection, startedAtMs } = ended
  const endedAtMs = performance.now()
  const startedAt = performance.timeOrigin + startedAtMs
  if (connection === undefined) return { reused: false, startedAt, timings: { sendMs: 0 } }
  const isConnected = signal?.kind !== 'unconnected'
  if (isConnected && connection.connectedAtMs < startedAtMs) {
    const phases = requestPhases(answer, startedAtMs, endedAtMs)
    return { reused: true, startedAt, timings: { sendMs: endedAtMs - startedAtMs, phases } }
  }
  const opening = connection.watch.end()
  if (!isConnected) {
    return { reused: false, startedAt, timings: { connectMs: endedAtMs - startedAtMs, sendMs: 0, phases: opening } }
  }
  const { connectedAtMs } = connection
  const phases = { ...opening, ...requestPhases(answer, connectedAtMs, endedAtMs) }
  const timings = { connectMs: connectedAtMs - startedAtMs, sendMs: endedAtMs - connectedAtMs, phases }
  return { reused: false, startedAt, timings }
}

function requestPhases(answer: Answer | undefined, fromMs: number, endedAtMs: number): AttemptPhases {
  if (answer === undefined) return { request: endedAtMs - fromMs }
  return { request: answer.headAtMs - fromMs, response: endedAtMs - answer.headAtMs }
}

function replyOf({ status, body }: Answer): AttemptReply {
  return { code: status, command: 'HTTP', text: body.subarray(0, MAX_TEXT_BYTES).toString() }
}
