/** Where spans go, as the OTEL_* variables say it: OTLP, Zipkin, both, or nowhere. */
import { type Counter, metrics } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { ZipkinExporter } from '@opentelemetry/exporter-zipkin'
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter, type SpanProcessor } from '@opentelemetry/sdk-trace'
import { CodedError } from '#libs/errors'

/** At 1,000 mails per second some 8,000 spans: the SDK's own queue of 2,048 would drop most of them. */
const QUEUE = { maxQueueSize: 32_768, maxExportBatchSize: 2_048, scheduledDelayMillis: 500 }

/** By their names in OTEL_TRACES_EXPORTER. */
const EXPORTERS: Readonly<Record<string, () => SpanExporter>> = {
  otlp: () => new OTLPTraceExporter(),
  zipkin: openZipkinExporter,
}

/**
 * One per exporter; none where spans go nowhere. Without OTEL_TRACES_EXPORTER an endpoint that is set names the exporter.
 * @throws CONFIG_INVALID
 */
export function openSpanProcessors(env: NodeJS.ProcessEnv): SpanProcessor[] {
  if (env.OTEL_SDK_DISABLED === 'true') return []
  return exportersOf(env).map((exporter) => new BatchSpanProcessor({ exporter: counted(exporter()), ...QUEUE }))
}

/** Counts what was exported and what was lost, as the semantic conventions for SDKs name it. */
function counted(exporter: SpanExporter): SpanExporter {
  let exported: Counter | undefined
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        // Only now: the meters open after the spans.
        exported ??= metrics.getMeter('postrider').createCounter('otel.sdk.exporter.span.exported', {
          unit: '{span}',
          description: 'Spans given to the trace backend; with error.type, those it did not take',
        })
        exported.add(spans.length, result.error === undefined ? {} : { 'error.type': result.error.name })
        done(result)
      }),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  }
}

function exportersOf(env: NodeJS.ProcessEnv): (() => SpanExporter)[] {
  const given = env.OTEL_TRACES_EXPORTER?.trim()
  if (!given) {
    const isOtlp = env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
    return [...(isOtlp ? [EXPORTERS.otlp!] : []), ...(env.OTEL_EXPORTER_ZIPKIN_ENDPOINT ? [EXPORTERS.zipkin!] : [])]
  }
  const names = given.split(',').map((name) => name.trim())
  if (names.includes('none')) return []
  return names.map((name) => EXPORTERS[name] ?? unknown(name))
}

function unknown(name: string): never {
  const allowed = [...Object.keys(EXPORTERS), 'none'].join(', ')
  throw new CodedError('CONFIG_INVALID', `OTEL_TRACES_EXPORTER: found ${name}, allowed ${allowed}`)
}

/** Zipkin refuses a whole batch for one time with a fraction of a microsecond, and its exporter does not round. */
function openZipkinExporter(): SpanExporter {
  const zipkin = new ZipkinExporter()
  return {
    export: (spans, done) => zipkin.export(spans.map(inMicroseconds), done),
    forceFlush: () => zipkin.forceFlush(),
    shutdown: () => zipkin.shutdown(),
  }
}

function inMicroseconds(span: ReadableSpan): ReadableSpan {
  const [seconds, nanoseconds] = span.startTime
  return Object.create(span, { startTime: { value: [seconds, Math.floor(nanoseconds / 1_000) * 1_000] } })
}
