/** What a scrape reads. Names are those that an OTLP backend for Prometheus makes of the same metrics, so that one dashboard fits both. */
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { type CollectionResult, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics'

const SUFFIXES: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' }

class SuffixedExporter extends PrometheusExporter {
  override async collect(options?: Parameters<PrometheusExporter['collect']>[0]): Promise<CollectionResult> {
    const { resourceMetrics, errors } = await super.collect(options)
    const scopeMetrics = resourceMetrics.scopeMetrics.map((scope) => ({
      ...scope,
      metrics: scope.metrics.map(withSuffix),
    }))
    return { resourceMetrics: { ...resourceMetrics, scopeMetrics }, errors }
  }
}

/** Opens no port. */
export function openPrometheusReader(): PrometheusExporter {
  return new SuffixedExporter({ preventServerStart: true, withoutScopeInfo: true })
}

function withSuffix<M extends MetricData>(metric: M): M {
  const { descriptor, dataPointType } = metric
  const isRatio = descriptor.unit === '1' && dataPointType === DataPointType.GAUGE
  const suffix = isRatio ? 'ratio' : SUFFIXES[descriptor.unit]
  if (suffix === undefined) return metric
  return { ...metric, descriptor: { ...descriptor, name: `${descriptor.name}_${suffix}`, unit: suffix } }
}
