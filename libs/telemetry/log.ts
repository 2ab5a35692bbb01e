import { trace } from '@opentelemetry/api'
import pino, { type Logger } from 'pino'

/** The second net: the first is that nobody logs these. */
const REDACTED = ['recipient', 'template_data', 'password', 'secret', 'connection_uri', '*.recipient', '*.password']

export interface LogOptions {
  readonly service: string
  readonly instance: string
  /** trace, debug, info, warn, error, fatal or silent. */
  readonly level: string
}

/** One JSON line per event on standard output, with the ids of the active span in the names of the OpenTelemetry log model. */
export function openLog({ service, instance, level }: LogOptions): Logger {
  return pino({
    level,
    base: { 'service.name': service, instance },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: REDACTED, censor: '[redacted]' },
    mixin: () => {
      const context = trace.getActiveSpan()?.spanContext()
      return context === undefined ? {} : { trace_id: context.traceId, span_id: context.spanId }
    },
  })
}
