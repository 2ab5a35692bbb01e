import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type EngineAnswer, type EngineJob, type EngineLimits, failure } from './answer.ts'
import { loadModule } from './load-module.ts'

export interface ThreadResult {
  readonly answer: EngineAnswer
  /** The thread ran out of something or of time: it takes no further job and must be closed. */
  readonly dead: boolean
}

export interface EngineThread {
  /**
   * One at a time. Keeps the process alive until it has its answer.
   * @throws what ended the thread, where that was not the template's doing
   */
  readonly run: (job: EngineJob, timeoutMs: number) => Promise<ThreadResult>
  /** Stops the thread in whatever it is doing; a job under way gets no answer. */
  readonly close: () => Promise<void>
}

/** Starts a thread and warms it. It keeps no process alive while it has nothing to do. */
export async function startThread(limits: EngineLimits): Promise<EngineThread> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { module: await loadModule(limits.memoryMiB), limits },
    // Nothing of this process: flags of its main script would refuse a file, its environment holds secrets.
    execArgv: [],
    env: {},
  })
  await Promise.race([once(worker, 'message'), once(worker, 'exit').then(failStart)])
  let hasExited = false
  worker.once('exit', () => {
    hasExited = true
  })
  worker.unref()
  return {
    run: async (job, timeoutMs) => {
      if (hasExited) throw new Error("the engine's thread is gone")
      worker.ref()
      try {
        return await answerWithin(worker, job, timeoutMs)
      } finally {
        worker.unref()
      }
    },
    close: async () => {
      await worker.terminate()
    },
  }
}

function failStart([code]: unknown[]): never {
  throw new Error(`the engine's thread exited with ${code} before it was ready`)
}

function answerWithin(worker: Worker, job: EngineJob, timeoutMs: number): Promise<ThreadResult> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      clearTimeout(timer)
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      finish()
    }
    const onMessage = (result: ThreadResult): void => settle(() => resolve(result))
    const onError = (error: Error): void => settle(() => reject(error))
    const onExit = (code: number): void => settle(() => reject(new Error(`the engine's thread exited with ${code}`)))
    const late = { answer: failure('timeout', `not done within ${timeoutMs} ms`), dead: true }
    // After the timer one more turn: when this process was busy itself, the answer may have been here all along.
    const timer = setTimeout(() => setImmediate(() => settle(() => resolve(late))), timeoutMs)
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    worker.postMessage(job)
  })
}
