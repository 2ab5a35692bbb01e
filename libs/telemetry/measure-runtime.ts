/** How the process itself is: event loop, memory, garbage collection, CPU. Names as the semantic conventions have them. */
import {
  constants,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks'
import type { Meter, ObservableResult } from '@opentelemetry/api'

/** One look per 20 ms: a late loop is seen to that precision, at next to no cost. */
const RESOLUTION_MS = 20
const GC_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]
const GC_TYPES: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weakcb',
}

/** Disposed, it observes no more. */
export function measureRuntime(meter: Meter): Disposable {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  observeDelay(meter, () => delay)
  observeUtilization(meter)
  observeProcess(meter)
  const collections = observeCollections(meter)
  return {
    [Symbol.dispose]: () => {
      delay.disable()
      collections.disconnect()
    },
  }
}

type Delay = ReturnType<typeof monitorEventLoopDelay>

/** Of the time since the last reading; with several readers, of the time since any of them read. */
function observeDelay(meter: Meter, delayOf: () => Delay): void {
  const gauge = (name: string) =>
    meter.createObservableGauge(`nodejs.eventloop.delay.${name}`, {
      unit: 's',
      description: `Event loop delay, ${name}`,
    })
  const [mean, p50, p99, max] = [gauge('mean'), gauge('p50'), gauge('p99'), gauge('max')]
  meter.addBatchObservableCallback(
    (result) => {
      const delay = delayOf()
      const ofNs = (ns: number) => (Number.isFinite(ns) ? Math.max(0, ns / 1e9 - RESOLUTION_MS / 1_000) : 0)
      result.observe(mean, ofNs(delay.mean))
      result.observe(p50, ofNs(delay.percentile(50)))
      result.observe(p99, ofNs(delay.percentile(99)))
      result.observe(max, ofNs(delay.max))
      delay.reset()
    },
    [mean, p50, p99, max],
  )
}

function observeUtilization(meter: Meter): void {
  let last = performance.eventLoopUtilization()
  meter
    .createObservableGauge('nodejs.eventloop.utilization', {
      unit: '1',
      description: 'Share of time that the event loop was busy',
    })
    .addCallback((result) => {
      const current = performance.eventLoopUtilization()
      result.observe(performance.eventLoopUtilization(current, last).utilization)
      last = current
    })
}

function observeProcess(meter: Meter): void {
  meter
    .createObservableCounter('process.cpu.time', { unit: 's', description: 'CPU time of the process' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage()
      result.observe(user / 1e6, { 'cpu.mode': 'user' })
      result.observe(system / 1e6, { 'cpu.mode': 'system' })
    })
  const memory = (name: string, description: string, read: () => number) =>
    meter
      .createObservableGauge(name, { unit: 'By', description })
      .addCallback((result: ObservableResult) => result.observe(read()))
  memory('process.memory.usage', 'Resident memory', () => process.memoryUsage.rss())
  memory('v8js.memory.heap.used', 'Heap in use', () => process.memoryUsage().heapUsed)
}

function observeCollections(meter: Meter): PerformanceObserver {
  const duration = meter.createHistogram('v8js.gc.duration', {
    unit: 's',
    description: 'Garbage collections',
    advice: { explicitBucketBoundaries: GC_BUCKETS_S },
  })
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind = 0 } = (entry as PerformanceEntry & { readonly detail?: { readonly kind?: number } }).detail ?? {}
      duration.record(entry.duration / 1_000, { 'v8js.gc.type': GC_TYPES[kind] ?? 'other' })
    }
  })
  observer.observe({ entryTypes: ['gc'] })
  return observer
}
