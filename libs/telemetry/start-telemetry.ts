import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Meter, metrics, type Tracer, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { AlwaysOffSampler, BatchSpanProcessor, NoopSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'
import { openHealthServer, type Readiness, type ReadyCheck, readinessOf } from './health-server.ts'
import { openLog } from './log.ts'

export interface Telemetry extends AsyncDisposable {
  readonly log: Logger
  readonly tracer: Tracer
  readonly meter: Meter
  /** Whether spans go anywhere; ids exist either way. */
  readonly tracing: boolean
  /** Says what `/health/ready` asks. Until then the service is not ready. */
  readonly setReady: (check: ReadyCheck) => void
  readonly ready: () => Promise<Readiness>
  /** Answers a Prometheus scrape. */
  readonly handleMetrics: (request: IncomingMessage, response: ServerResponse) => void
}

export interface TelemetryOptions {
  readonly env: NodeJS.ProcessEnv
  readonly instance: string
  /** Port of health and metrics; none is opened where left out. */
  readonly metricsPort?: number
}

/** At 1,000 mails per second some 8,000 spans: the SDK's own queue of 2,048 would drop most of them. */
const QUEUE = { maxQueueSize: 32_768, maxExportBatchSize: 2_048, scheduledDelayMillis: 500 }
const STARTING: ReadyCheck = () => ({ service: { ok: false, detail: 'starting' } })

/**
 * Starts tracing, metrics and the log of `service`. Spans are exported by OTLP where OTEL_EXPORTER_OTLP_ENDPOINT (or its traces
 * variant) is set; else nothing leaves the process, and nothing complains.
 * @throws PORT_TAKEN
 */
export async function startTelemetry(service: string, options: TelemetryOptions): Promise<Telemetry> {
  const { env, instance, metricsPort } = options
  const name = `postrider-${service}`
  const tracing = isExporting(env)
  const prometheus = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true })
  const sdk = new NodeSDK({
    autoDetectResources: false,
    resource: resourceFromAttributes({ 'service.name': name, 'service.instance.id': instance }),
    // Never baggage: it would leave with requests to mail providers.
    textMapPropagator: new W3CTraceContextPropagator(),
    instrumentations: [],
    logRecordProcessors: [],
    metricReaders: [prometheus],
    spanProcessors: [spanProcessor(tracing)],
    ...(!tracing && { sampler: new AlwaysOffSampler() }),
  })
  sdk.start()
  let check = STARTING
  const ready = () => readinessOf(check)
  const handleMetrics = prometheus.getMetricsRequestHandler.bind(prometheus)
  const host = env.POSTRIDER_METRICS_HOST || '127.0.0.1'
  const server =
    metricsPort === undefined
      ? undefined
      : await openHealthServer({ host, port: metricsPort, ready, metrics: handleMetrics })
  return {
    log: openLog({ service: name, instance, level: env.LOG_LEVEL || 'info' }),
    tracer: trace.getTracer('postrider'),
    meter: metrics.getMeter('postrider'),
    tracing,
    setReady: (given) => {
      check = given
    },
    ready,
    handleMetrics,
    [Symbol.asyncDispose]: async () => {
      await server?.[Symbol.asyncDispose]()
      // A collector that is away must not keep the process; its spans are lost either way.
      await Promise.race([sdk.shutdown(), new Promise((resolve) => setTimeout(resolve, 3_000).unref())])
    },
  }
}

function isExporting(env: NodeJS.ProcessEnv): boolean {
  if (env.OTEL_SDK_DISABLED === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return false
  return Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)
}

function spanProcessor(tracing: boolean): SpanProcessor {
  return tracing ? new BatchSpanProcessor({ exporter: new OTLPTraceExporter(), ...QUEUE }) : new NoopSpanProcessor()
}
