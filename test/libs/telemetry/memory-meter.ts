/** A meter of one test, and what a reader finds in it. */
import { type Meter, metrics } from '@opentelemetry/api'
import { DataPointType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'

class TestReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {
    await this.onForceFlush()
  }

  protected override onForceFlush(): Promise<void> {
    return Promise.resolve()
  }
}

export interface TestMeter {
  readonly meter: Meter
  /** Makes it the one of the process, which libs measure by. */
  readonly install: () => void
  /** Values by attributes, `name=value` joined by commas; of a histogram the number of values. */
  readonly read: (metric: string) => Promise<Record<string, number>>
}

export function openMeter(): TestMeter {
  const reader = new TestReader()
  const provider = new MeterProvider({ readers: [reader] })
  return {
    meter: provider.getMeter('test'),
    install: () => void metrics.setGlobalMeterProvider(provider),
    read: async (name) => {
      const { resourceMetrics } = await reader.collect()
      const metric = resourceMetrics.scopeMetrics
        .flatMap(({ metrics }) => metrics)
        .find(({ descriptor }) => descriptor.name === name)
      const points = metric?.dataPoints ?? []
      const isHistogram = metric?.dataPointType === DataPointType.HISTOGRAM
      const entries = points.map(({ attributes, value }) => {
        const key = Object.entries(attributes).map(([label, text]) => `${label}=${text}`)
        return [key.join(','), isHistogram ? (value as { count: number }).count : (value as number)] as const
      })
      return Object.fromEntries(entries)
    },
  }
}
