import type { FailureClass } from '#libs/delivery'
import type { HttpSignal } from './http-signal.ts'

const AUTH = new Set([401, 403, 407])
/** Of the provider's moment, not of the message; 423 is a lock. */
const TRANSIENT = new Set([408, 423, 425])
/** The server will never do this, however often it is asked. */
const NEVER = new Set([501, 505])

export function classifySignal(signal: HttpSignal): FailureClass {
  switch (signal.kind) {
    case 'expired':
    case 'cancelled':
      return signal.kind
    case 'template':
      return 'render'
    // Our own shortage: the message is innocent, and fewer at a time help.
    case 'engine':
      return signal.isBusy ? 'throttled' : 'network'
    case 'closing':
    case 'late':
    case 'no_template':
    case 'unsent':
      return 'network'
    case 'unconnected':
      return signal.problem.kind === 'tls' ? 'tls' : 'network'
    case 'unanswered':
      return 'ambiguous'
    case 'status':
      return classifyStatus(signal.status)
  }
}

/** For every status but 2xx. A wrong retry delays mail, a wrong abandon loses it: an unknown 5xx is tried again. */
function classifyStatus(status: number): FailureClass {
  if (AUTH.has(status)) return 'auth'
  if (status === 429) return 'throttled'
  if (status < 400) return 'config'
  if (TRANSIENT.has(status)) return 'transient_remote'
  if (status < 500 || NEVER.has(status)) return 'permanent_remote'
  return 'transient_remote'
}
