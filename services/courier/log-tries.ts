/** A log line for what did not go as planned: each failed try, and each end without delivery. Without the recipient, like every line. */
import type { StatusEvent } from '#libs/messages'
import { type Logger, traceFields } from '#libs/telemetry'

type Level = 'debug' | 'info' | 'warn'

const LINES: Readonly<Record<string, readonly [level: Level, words: string]>> = {
  sent: ['debug', 'message sent'],
  deferred: ['info', 'attempt failed, will be tried again'],
  abandoned: ['warn', 'message abandoned'],
  expired: ['warn', 'message expired'],
  held: ['warn', 'message held: its outcome is unknown'],
  cancelled: ['info', 'message cancelled'],
  superseded: ['info', 'message superseded by a newer one'],
}

/** Logs what a durable conclusion says. What was sent is told at level debug only: it is in metrics and in the status topic. */
export function logTry(event: StatusEvent, log: Logger): void {
  const [level, words] = LINES[event.data.status] ?? ['info', event.data.status]
  if (log.isLevelEnabled(level)) log[level](fieldsOf(event), words)
}

function fieldsOf({ data, traceparent }: StatusEvent): Record<string, unknown> {
  const { reply, failure_class, error, reason, next_attempt_at, provider, durations_ms } = data
  return {
    message_id: data.message_id,
    ...traceFields(traceparent),
    project_id: data.project_id,
    channel: data.channel,
    template_type: data.template_type,
    attempt: data.dispatch,
    outcome: data.status,
    failure_class,
    error,
    reason,
    reply_code: reply?.code,
    enhanced_code: reply?.enhanced,
    command: reply?.command,
    provider,
    duration_ms: durations_ms.send,
    next_attempt_at,
  }
}
