import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isPushingMetrics } from '../../../libs/telemetry/metric-readers.ts'

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }

describe('isPushingMetrics', () => {
  for (const [env, expected] of [
    [{}, false],
    [ENDPOINT, true],
    [{ OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://127.0.0.1:4318/v1/metrics' }, true],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces' }, false],
    [{ OTEL_METRICS_EXPORTER: 'otlp' }, true],
    [{ OTEL_METRICS_EXPORTER: 'prometheus, otlp' }, true],
    [{ ...ENDPOINT, OTEL_METRICS_EXPORTER: 'none' }, false],
    [{ ...ENDPOINT, OTEL_METRICS_EXPORTER: 'prometheus' }, false],
    [{ ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }, false],
  ] as const) {
    it(`is ${expected} with ${JSON.stringify(env)}`, () => {
      assert.equal(isPushingMetrics(env), expected)
    })
  }
})
