/** Who reads the metrics: every scrape, and a collector that they are pushed to where one is configured. */
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { type IMetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'

/** A collector that is away must not hold up the process that ends. */
const EXPORT_TIMEOUT_MS = 2_500
const INTERVAL_MS = 15_000

/**
 * OTEL_METRICS_EXPORTER decides where it is set: `otlp` pushes, anything else leaves it at the scrape. Where it is not, an
 * endpoint is enough.
 */
export function isPushingMetrics(env: NodeJS.ProcessEnv): boolean {
  if (env.OTEL_SDK_DISABLED === 'true') return false
  const chosen = env.OTEL_METRICS_EXPORTER
  if (chosen) return chosen.split(',').some((name) => name.trim() === 'otlp')
  return Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_METRICS_ENDPOINT)
}

/** Pushes every OTEL_METRIC_EXPORT_INTERVAL ms. @default 15_000 */
export function openPushReader(env: NodeJS.ProcessEnv): IMetricReader {
  const asked = Number(env.OTEL_METRIC_EXPORT_INTERVAL)
  const exportIntervalMillis = asked > 0 ? asked : INTERVAL_MS
  return new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(),
    exportIntervalMillis,
    exportTimeoutMillis: Math.min(EXPORT_TIMEOUT_MS, exportIntervalMillis),
  })
}
