import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isCoded } from '#libs/errors'
import type { EngineAnswer, EngineJob } from '../../../libs/engine/answer.ts'
import type { ProcessResult } from '../../../libs/engine/engine-process.ts'
import { openProcessPool } from '../../../libs/engine/process-pool.ts'

const DONE: ProcessResult = { answer: { ok: true, text: 'done' }, dead: false }
const LATE: ProcessResult = { answer: { ok: false, kind: 'timeout', message: 'late' }, dead: true }
const CRASHED: ProcessResult = {
  answer: { ok: false, kind: 'memory', message: 'gone' },
  dead: true,
  crashed: true,
}
const FULL: ProcessResult = { answer: { ok: false, kind: 'memory', message: 'full' }, dead: true }

interface Run {
  readonly process: number
  readonly source: string
  readonly settle: (result: ProcessResult) => void
}

/** A pool of processes whose jobs end when the test says so. */
function openTestPool(workers: number, failStart: (count: number) => boolean = () => false) {
  const runs: Run[] = []
  const closed: number[] = []
  const gone = new Set<number>()
  let started = 0
  const pool = openProcessPool({
    workers,
    timeoutMs: 1_000,
    startProcess: async () => {
      const id = started++
      if (failStart(id)) throw new Error('no room for a process')
      return {
        pid: id,
        isGone: () => gone.has(id),
        run: ({ inputs }) =>
          new Promise((settle) => {
            runs.push({ process: id, source: inputs[0]!, settle })
          }),
        close: async () => {
          closed.push(id)
          for (const run of runs) if (run.process === id) run.settle(CRASHED)
        },
      }
    },
  })
  return { pool, runs, closed, gone, started: () => started, job: (source: string) => pool.run(jobOf(source)) }
}

function jobOf(source: string): EngineJob {
  return { operation: 'jsonnet', inputs: [source, '{}', '{}'] }
}

/** Lets everything run that needs no further event. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

function sources(runs: readonly Run[]): string[] {
  return runs.map(({ source }) => source)
}

/** Makes `source` a suspect. */
async function offend({ job, runs }: ReturnType<typeof openTestPool>, source: string): Promise<void> {
  const answer = job(source)
  await settled()
  runs.at(-1)!.settle(LATE)
  await answer
  await settled()
}

describe('openProcessPool', () => {
  it('starts no process before the first job, and one only where another is busy', async () => {
    const { job, runs, started } = openTestPool(3)
    assert.equal(started(), 0)
    const first = job('a')
    await settled()
    runs[0]!.settle(DONE)
    await first
    void job('b')
    await settled()
    assert.equal(started(), 1)
    void job('c')
    await settled()
    assert.equal(started(), 2)
  })

  it('gives each process one job at a time, in order', async () => {
    const { job, runs, pool } = openTestPool(2)
    const answers = ['a', 'b', 'c', 'd'].map(job)
    await settled()
    assert.deepEqual(sources(runs), ['a', 'b'])
    assert.equal(pool.waiting(), 2)
    runs[1]!.settle(DONE)
    await settled()
    assert.deepEqual(sources(runs), ['a', 'b', 'c'])
    assert.equal(runs[2]!.process, runs[1]!.process)
    runs[0]!.settle(DONE)
    runs[2]!.settle(DONE)
    await settled()
    runs[3]!.settle(DONE)
    assert.deepEqual(await Promise.all(answers), Array<EngineAnswer>(4).fill(DONE.answer))
  })

  it('replaces a process that died of its job, and does the next one on the new process', async () => {
    const { job, runs, closed } = openTestPool(1)
    const bad = job('bad')
    const good = job('good')
    await settled()
    runs[0]!.settle(LATE)
    assert.deepEqual(await bad, LATE.answer)
    await settled()
    assert.deepEqual(closed, [0])
    assert.equal(runs[1]!.process, 1)
    runs[1]!.settle(DONE)
    assert.deepEqual(await good, DONE.answer)
  })

  it('asks again on a fresh process where a used one ran out of memory', async () => {
    const { job, runs, closed } = openTestPool(1)
    const first = job('a')
    await settled()
    runs[0]!.settle(DONE)
    await first
    const second = job('b')
    await settled()
    runs[1]!.settle(FULL)
    await settled()
    assert.deepEqual([runs[2]!.process, runs[2]!.source, closed], [1, 'b', [0]])
    runs[2]!.settle(DONE)
    assert.deepEqual(await second, DONE.answer)
  })

  it('believes a fresh process that ran out of memory', async () => {
    const { job, runs } = openTestPool(1)
    const answer = job('a')
    await settled()
    runs[0]!.settle(FULL)
    assert.deepEqual(await answer, FULL.answer)
    assert.equal(runs.length, 1)
  })

  it('replaces a process after 10,000 jobs', async () => {
    const { job, runs, closed } = openTestPool(1)
    for (let done = 0; done < 10_000; done += 1) {
      const answer = job('a')
      await settled()
      runs[done]!.settle(DONE)
      await answer
    }
    void job('a')
    await settled()
    assert.deepEqual(closed, [0])
    assert.equal(runs[9_999]!.process, 0)
    assert.equal(runs[10_000]!.process, 1)
  })

  it('asks once more where a process crashed, fresh or not', async () => {
    const { job, runs } = openTestPool(1)
    const answer = job('a')
    await settled()
    runs[0]!.settle(CRASHED)
    await settled()
    assert.deepEqual([runs[1]!.process, runs[1]!.source], [1, 'a'])
    runs[1]!.settle(DONE)
    assert.deepEqual(await answer, DONE.answer)
  })

  it('believes the second crash, and does the next job on a new process', async () => {
    const { job, runs } = openTestPool(1)
    const bad = job('bad')
    const good = job('good')
    await settled()
    runs[0]!.settle(CRASHED)
    await settled()
    runs[1]!.settle(CRASHED)
    assert.deepEqual(await bad, CRASHED.answer)
    await settled()
    assert.deepEqual([runs[2]!.process, runs[2]!.source], [2, 'good'])
    runs[2]!.settle(DONE)
    assert.deepEqual(await good, DONE.answer)
  })

  it('gives no job to a process that went while it had none', async () => {
    const { job, runs, gone } = openTestPool(1)
    const first = job('a')
    await settled()
    runs[0]!.settle(DONE)
    await first
    gone.add(0)
    const second = job('b')
    await settled()
    assert.deepEqual([runs.length, runs[1]!.process], [2, 1])
    runs[1]!.settle(DONE)
    assert.deepEqual(await second, DONE.answer)
  })

  it('rejects a job for which no process starts, and tries again with the next', async () => {
    const { job, runs } = openTestPool(1, (count) => count === 0)
    const first = job('a')
    const second = job('b')
    await assert.rejects(first, /no room/)
    await settled()
    runs[0]!.settle(DONE)
    assert.deepEqual(await second, DONE.answer)
  })

  it('refuses a job when a thousand wait', async () => {
    const { job, pool } = openTestPool(1)
    void job('running')
    await settled()
    for (let i = 0; i < 1_000; i += 1) void job('waiting')
    assert.equal(pool.waiting(), 1_000)
    await assert.rejects(job('one too many'), (error) => isCoded(error, 'ENGINE_BUSY'))
  })

  it('runs one suspect at a time, so that healthy templates pass by', async () => {
    const test = openTestPool(2)
    const { job, runs } = test
    await offend(test, 'slow')
    runs.length = 0
    const answers = ['slow', 'slow', 'slow', 'quick'].map(job)
    await settled()
    assert.deepEqual(sources(runs), ['slow', 'quick'])
    runs[1]!.settle(DONE)
    await settled()
    assert.deepEqual(sources(runs), ['slow', 'quick'])
    runs[0]!.settle(DONE)
    await settled()
    assert.deepEqual(sources(runs), ['slow', 'quick', 'slow'])
    runs[2]!.settle(DONE)
    await settled()
    runs[3]!.settle(DONE)
    assert.equal((await Promise.all(answers)).length, 4)
  })

  it('goes on with suspects after one for which no process started', async () => {
    const test = openTestPool(1, (count) => count === 1 || count === 2)
    await offend(test, 'slow')
    const refused = assert.rejects(test.job('slow'), /no room/)
    const next = test.job('slow')
    await refused
    await settled()
    test.runs.at(-1)!.settle(DONE)
    assert.deepEqual(await next, DONE.answer)
  })

  it('closes its processes and rejects what has no answer and what comes later', async () => {
    const { job, pool, closed } = openTestPool(1)
    const running = job('running')
    await settled()
    const waiting = job('waiting')
    const outcomes = Promise.allSettled([running, waiting])
    await pool[Symbol.asyncDispose]()
    assert.deepEqual(
      (await outcomes).map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    assert.deepEqual(closed, [0])
    await assert.rejects(job('late'), /closed/)
  })

  it('closes a process that was still starting', async () => {
    const { job, pool, closed } = openTestPool(1)
    const outcome = assert.rejects(job('a'), /closed/)
    await pool[Symbol.asyncDispose]()
    await outcome
    assert.deepEqual(closed, [0])
  })
})
