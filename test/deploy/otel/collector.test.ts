import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { EVENT_STATES } from '#libs/messages'
import { policies, readCollector } from './tail-sampling.ts'

const FILE = fileURLToPath(new URL('../../../deploy/otel/collector.yaml', import.meta.url))

const closed = (properties: Record<string, unknown>, required: readonly string[] = Object.keys(properties)) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
const text = { type: 'string', minLength: 1 }
const count = { type: 'integer', minimum: 1 }
const time = { type: 'string', pattern: '^[0-9]+(ms|s|m)$' }
const list = (items: unknown) => ({ type: 'array', items, minItems: 1, uniqueItems: true })
const policy = (type: string, options: object) => closed({ name: text, type: { const: type }, [type]: options })

/** The keys in use, as the documentation of each part has them; any other is refused. */
const PROCESSORS = closed({
  memory_limiter: closed({ check_interval: time, limit_mib: count, spike_limit_mib: count }),
  tail_sampling: closed({
    decision_wait: time,
    num_traces: count,
    expected_new_traces_per_sec: count,
    decision_cache: closed({ sampled_cache_size: count, non_sampled_cache_size: count }, ['sampled_cache_size']),
    policies: list({
      oneOf: [
        policy('status_code', closed({ status_codes: list({ enum: ['ERROR', 'OK', 'UNSET'] }) })),
        policy('string_attribute', closed({ key: text, values: list(text) })),
        policy('numeric_attribute', closed({ key: text, min_value: count, max_value: count }, ['key', 'min_value'])),
        policy('latency', closed({ threshold_ms: count })),
        policy('probabilistic', closed({ sampling_percentage: { type: 'number', exclusiveMinimum: 0, maximum: 100 } })),
      ],
    }),
  }),
  batch: closed({ timeout: time, send_batch_size: count }, []),
})

describe('the collector’s processors', () => {
  const { processors, service } = readCollector()
  const { tail_sampling: sampling, memory_limiter: limiter } = processors

  it('have no key that the collector does not know', () => {
    const validate = new Ajv2020({ allErrors: true, strict: false }).compile(PROCESSORS)
    assert.ok(validate(processors), JSON.stringify(validate.errors, null, 2))
  })

  it('limit memory first and batch last; traces are sampled between, metrics never', () => {
    assert.deepEqual(service.pipelines.traces.processors, ['memory_limiter', 'tail_sampling', 'batch'])
    assert.deepEqual(service.pipelines.metrics.processors, ['memory_limiter', 'batch'])
    assert.ok(limiter.spike_limit_mib < limiter.limit_mib)
  })

  it('hold every trace until it is decided, and know longer which ones were kept', () => {
    const waitS = Number(/^(\d+)s$/.exec(sampling.decision_wait)?.[1])
    assert.ok(sampling.num_traces >= waitS * sampling.expected_new_traces_per_sec)
    assert.ok(sampling.decision_cache.sampled_cache_size > sampling.num_traces)
    assert.equal(sampling.decision_cache.non_sampled_cache_size, undefined, 'it would drop a failure that comes late')
  })

  it('keep everything that went wrong and 5 % of the rest', () => {
    const rest = policies().filter(({ type }) => type === 'probabilistic')
    assert.deepEqual(rest, [{ name: 'rest', type: 'probabilistic', probabilistic: { sampling_percentage: 5 } }])
    const names = policies().map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
  })

  it('sort every state of a message into those that are always kept and those that are not', () => {
    const always = policies().flatMap((one) => (one.type === 'string_attribute' ? one.string_attribute.values : []))
    const others = ['sent', 'delivered', 'superseded', 'cancelled']
    // `waiting` is no state: the message is handed to the ledger.
    assert.deepEqual([...always, ...others].sort(), [...EVENT_STATES, 'waiting'].sort())
  })

  if (spawnSync('otelcol-contrib', ['--version']).status === 0) {
    it('are taken by the collector of this machine', () => {
      const { status, stderr } = spawnSync('otelcol-contrib', ['validate', `--config=${FILE}`], { encoding: 'utf8' })
      assert.equal(status, 0, stderr)
    })
  }
})
