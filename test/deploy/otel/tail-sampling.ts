/** The tail-sampling policies of the collector, as its documentation has them, on the spans of one trace. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import type { ReceivedSpan } from '../../support/otlp-receiver.ts'

export type Policy = { readonly name: string } & (
  | { readonly type: 'status_code'; readonly status_code: { readonly status_codes: readonly string[] } }
  | {
      readonly type: 'string_attribute'
      readonly string_attribute: { readonly key: string; readonly values: readonly string[] }
    }
  | {
      readonly type: 'numeric_attribute'
      readonly numeric_attribute: { readonly key: string; readonly min_value?: number; readonly max_value?: number }
    }
  | { readonly type: 'latency'; readonly latency: { readonly threshold_ms: number } }
  | { readonly type: 'probabilistic'; readonly probabilistic: { readonly sampling_percentage: number } }
)

const FILE = new URL('../../../deploy/otel/collector.yaml', import.meta.url)

export function readCollector() {
  return parse(readFileSync(FILE, 'utf8'))
}

export function policies(): readonly Policy[] {
  return readCollector().processors.tail_sampling.policies
}

/** Names of the policies that keep the trace, all but the probabilistic one, in the order of the file. */
export function keptBy(spans: readonly ReceivedSpan[]): string[] {
  return policies()
    .filter((policy) => isKept(policy, spans))
    .map(({ name }) => name)
}

/** Attributes count where a span or its resource has them; a number only where it is encoded as an integer. */
function isKept(policy: Policy, spans: readonly ReceivedSpan[]): boolean {
  const some = (key: string, holds: (value: unknown) => boolean) =>
    spans.some(({ attributes, resource }) => holds(attributes[key]) || holds(resource[key]))
  switch (policy.type) {
    case 'status_code':
      return spans.some(({ status = 'unset' }) => policy.status_code.status_codes.includes(status.toUpperCase()))
    case 'string_attribute': {
      const { key, values } = policy.string_attribute
      return some(key, (value) => typeof value === 'string' && values.includes(value))
    }
    case 'numeric_attribute': {
      const { key, min_value: least = -Infinity, max_value: most = Infinity } = policy.numeric_attribute
      return some(key, (value) => typeof value === 'number' && value >= least && value <= most)
    }
    case 'latency': {
      const starts = spans.map(({ startTimeMs }) => startTimeMs)
      const ends = spans.map(({ endTimeMs }) => endTimeMs)
      return Math.max(...ends) - Math.min(...starts) >= policy.latency.threshold_ms
    }
    case 'probabilistic':
      return false
  }
}
