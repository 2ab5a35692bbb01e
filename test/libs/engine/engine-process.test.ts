/** The processes that run templates: what ends them, and what their end costs. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { EngineAnswer, EngineJob } from '../../../libs/engine/answer.ts'
import { type EngineProcess, type ProcessResult, startProcess } from '../../../libs/engine/engine-process.ts'
import { openProcessPool } from '../../../libs/engine/process-pool.ts'
import { waitFor } from '../../support/servers.ts'

const LIMITS = { memoryMiB: 64, outputKiB: 512 }
/** No test waits for it: what ends by it is given less, see `openTestPool`. */
const PATIENT_MS = 120_000

function evaluation(source: string): EngineJob {
  return { operation: 'jsonnet', inputs: [source, '{}', '{}'] }
}

/** Takes time without an end, and no memory. */
function endless(name: string): EngineJob {
  const files = { [name]: '{{ range 1000000000000 }}{{ end }}' }
  return { operation: 'render', inputs: [JSON.stringify(files), name, 'text', '{}', 'null'] }
}

function ok(text: string): EngineAnswer {
  return { ok: true, text }
}

function kindOf(answer: EngineAnswer): string {
  return answer.ok ? 'ok' : answer.kind
}

/** A pool of real processes; `run` stands between it and each of them. */
function openTestPool(
  workers: number,
  run: (engine: EngineProcess, job: EngineJob, timeoutMs: number) => Promise<ProcessResult>,
) {
  return openProcessPool({
    workers,
    timeoutMs: PATIENT_MS,
    startProcess: async () => {
      const engine = await startProcess(LIMITS)
      return { ...engine, run: (job, timeoutMs) => run(engine, job, timeoutMs) }
    },
  })
}

/** Runs the job on a process that is killed in the middle of it: held before it begins, it cannot be done sooner. */
function runAndKill(engine: EngineProcess, job: EngineJob, signal: NodeJS.Signals): Promise<ProcessResult> {
  process.kill(engine.pid, 'SIGSTOP')
  const result = engine.run(job, PATIENT_MS)
  process.kill(engine.pid, signal)
  process.kill(engine.pid, 'SIGCONT')
  return result
}

/** A process that ended but that nobody has asked about yet does not run. */
function isRunning(pid: number): boolean {
  const status = `/proc/${pid}/stat`
  if (existsSync('/proc/self/stat')) return existsSync(status) && !/\) [ZX] /.test(readFileSync(status, 'utf8'))
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Another program with one process of the engine, whose id it prints, and on it the job, if there is one. */
async function startProgram(job?: EngineJob): Promise<{ program: ChildProcess; pid: number }> {
  const source = pathToFileURL(`${import.meta.dirname}/../../../libs/engine/engine-process.ts`).href
  const script = `
    import { startProcess } from ${JSON.stringify(source)}
    const engine = await startProcess(${JSON.stringify(LIMITS)})
    const job = ${JSON.stringify(job ?? null)}
    if (job !== null) void engine.run(job, ${PATIENT_MS})
    console.log(engine.pid)
    setInterval(() => undefined, 1_000)`
  const program = spawn(process.execPath, ['--input-type=module-typescript', '-e', script])
  const [line] = await once(program.stdout, 'data')
  return { program, pid: Number(line) }
}

describe('startProcess', () => {
  it('leaves signals to stop to its parent, and answers on', async () => {
    const engine = await startProcess(LIMITS)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(engine.pid, signal)
    assert.deepEqual(await engine.run(evaluation('1+1'), PATIENT_MS), { answer: ok('2\n'), dead: false })
    await engine.close()
  })

  it('hands its environment to no template', async () => {
    const engine = await startProcess(LIMITS)
    const environ = `/proc/${engine.pid}/environ`
    if (existsSync(environ)) assert.doesNotMatch(readFileSync(environ, 'utf8'), /(^|\0)(PATH|HOME|TEST_\w+)=/)
    await engine.close()
  })

  it('is gone when it is closed, and answers nothing more', async () => {
    const engine = await startProcess(LIMITS)
    await engine.close()
    assert.equal(engine.isGone(), true)
    assert.equal(isRunning(engine.pid), false)
    assert.equal((await engine.run(evaluation('1'), PATIENT_MS)).crashed, true)
    await engine.close()
  })

  it('says why a process does not start', async () => {
    await assert.rejects(startProcess({ memoryMiB: Number.NaN, outputKiB: 1 }), /exit code 1[\s\S]*Error/)
  })

  it('answers memory for an input beyond the heap of the process, which ends of it', async () => {
    const engine = await startProcess(LIMITS)
    const { answer, crashed } = await engine.run(evaluation(`'${'a'.repeat(100_000_000)}'`), PATIENT_MS)
    assert.deepEqual([kindOf(answer), crashed, engine.isGone()], ['memory', true, true])
  })

  for (const [state, job] of [
    ['idle', undefined],
    ['busy', endless('a')],
  ] as const)
    it(`ends with its parent, whatever killed that, when ${state}`, async () => {
      const { program, pid } = await startProgram(job)
      assert.equal(isRunning(pid), true)
      program.kill('SIGKILL')
      await waitFor(async () => !isRunning(pid))
    })
})

describe('a pool of processes', () => {
  for (const signal of ['SIGKILL', 'SIGABRT', 'SIGSEGV'] as const)
    it(`does a job once more whose process ended with ${signal}`, async () => {
      let kills = 0
      await using pool = openTestPool(1, (engine, job, timeoutMs) =>
        kills++ === 0 ? runAndKill(engine, job, signal) : engine.run(job, timeoutMs),
      )
      assert.deepEqual(await pool.run(evaluation('1+1')), ok('2\n'))
      assert.equal(kills, 2)
    })

  for (const [signal, kind] of [
    ['SIGKILL', 'memory'],
    ['SIGABRT', 'runtime'],
  ] as const)
    it(`answers ${kind} for a job that ends with ${signal} each time, and the jobs beside and behind it`, async () => {
      const deadly = evaluation('"deadly"')
      let kills = 0
      await using pool = openTestPool(2, (engine, job, timeoutMs) => {
        if (job !== deadly) return engine.run(job, timeoutMs)
        kills += 1
        return runAndKill(engine, job, signal)
      })
      const answers = await Promise.all([
        pool.run(deadly),
        ...Array.from({ length: 20 }, () => pool.run(evaluation('1'))),
      ])
      assert.equal(kindOf(answers[0]!), kind)
      assert.equal(kills, 2)
      assert.deepEqual(answers.slice(1), Array<EngineAnswer>(20).fill(ok('1\n')))
    })

  it('answers every good job among many that run into a limit', async () => {
    await using pool = openTestPool(2, (engine, job, timeoutMs) =>
      engine.run(job, job.operation === 'render' ? 20 : timeoutMs),
    )
    const answers: Promise<string>[] = []
    const expected: string[] = []
    const add = (job: EngineJob, outcome: string): void => {
      answers.push(pool.run(job).then((answer) => (answer.ok ? answer.text : answer.kind)))
      expected.push(outcome)
    }
    for (let i = 0; i < 200; i += 1) {
      add(evaluation(`${i} + 1`), `${i + 1}\n`)
      if (i % 50 === 0) add(endless(`file ${i}`), 'timeout')
      if (i % 100 === 0) add(evaluation('['.repeat(20_000 + i)), 'memory')
    }
    assert.deepEqual(await Promise.all(answers), expected)
  })
})
