import type { Meter } from '@opentelemetry/api'
import type { EngineAnswer, EngineJob } from './answer.ts'
import type { ProcessPool } from './process-pool.ts'

const BUCKETS_S = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

/** The pool's `run`, with its durations by operation and outcome, and the number of jobs that wait for a process. */
export function measureJobs(pool: ProcessPool, meter: Meter): (job: EngineJob) => Promise<EngineAnswer> {
  const duration = meter.createHistogram('engine.job.duration', {
    unit: 's',
    description: 'From the request to the answer, waiting for a process included',
    advice: { explicitBucketBoundaries: BUCKETS_S },
  })
  meter
    .createObservableGauge('engine.jobs.waiting', { unit: '{job}', description: 'Templates that wait for a process' })
    .addCallback((result) => result.observe(pool.waiting()))
  return async (job) => {
    const startedAtMs = performance.now()
    const answer = await pool.run(job)
    const outcome = answer.ok ? 'ok' : answer.kind
    duration.record((performance.now() - startedAtMs) / 1_000, { operation: job.operation, outcome })
    return answer
  }
}
