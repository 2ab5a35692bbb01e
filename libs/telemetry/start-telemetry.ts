import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Meter, metrics, type Tracer, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { NodeSDK } from '@opentelemetry/sdk-node'
import { AlwaysOffSampler, NoopSpanProcessor } from '@opentelemetry/sdk-trace'
import type { Logger } from 'pino'
import { openHealthServer, type Readiness, type ReadyCheck, readinessOf } from './health-server.ts'
import { openLog } from './log.ts'
import { measureRuntime } from './measure-runtime.ts'
import { isPushingMetrics, openPushReader } from './metric-readers.ts'
import { openPrometheusReader } from './prometheus-reader.ts'
import { openSpanProcessors } from './span-processors.ts'

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

/** The version of the semantic conventions that names and values of spans follow: backends translate from it. */
const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.44.0'
const STARTING: ReadyCheck = () => ({ service: { ok: false, detail: 'starting' } })

/**
 * Starts tracing, metrics and the log of `service`. Spans and metrics are exported by OTLP where OTEL_EXPORTER_OTLP_ENDPOINT (or
 * its variant for one of them) is set, spans also as `openSpanProcessors` has it; else nothing leaves the process, and nothing
 * complains. Metrics can always be scraped.
 * @throws PORT_TAKEN, CONFIG_INVALID
 */
export async function startTelemetry(service: string, options: TelemetryOptions): Promise<Telemetry> {
  const { env, instance, metricsPort } = options
  const name = `postrider-${service}`
  const spanProcessors = openSpanProcessors(env)
  const tracing = spanProcessors.length > 0
  const prometheus = openPrometheusReader()
  const sdk = new NodeSDK({
    autoDetectResources: false,
    // What OTEL_RESOURCE_ATTRIBUTES says beside it: deployment.environment.name and the like.
    resource: detectResources({ detectors: [envDetector] }).merge(
      resourceFromAttributes({ 'service.name': name, 'service.instance.id': instance }, { schemaUrl: SCHEMA_URL }),
    ),
    // Never baggage: it would leave with requests to mail providers.
    textMapPropagator: new W3CTraceContextPropagator(),
    instrumentations: [],
    logRecordProcessors: [],
    metricReaders: isPushingMetrics(env) ? [prometheus, openPushReader(env)] : [prometheus],
    spanProcessors: tracing ? spanProcessors : [new NoopSpanProcessor()],
    ...(!tracing && { sampler: new AlwaysOffSampler() }),
  })
  sdk.start()
  const meter = metrics.getMeter('postrider')
  const runtime = measureRuntime(meter)
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
    tracer: trace.getTracerProvider().getTracer('postrider', undefined, { schemaUrl: SCHEMA_URL }),
    meter,
    tracing,
    setReady: (given) => {
      check = given
    },
    ready,
    handleMetrics,
    [Symbol.asyncDispose]: async () => {
      await server?.[Symbol.asyncDispose]()
      runtime[Symbol.dispose]()
      // A collector that is away must not keep the process; its spans are lost either way.
      await Promise.race([sdk.shutdown(), new Promise((resolve) => setTimeout(resolve, 3_000).unref())])
    },
  }
}
