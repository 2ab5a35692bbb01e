import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { type EngineAnswer, type EngineJob, type EngineLimits, failure } from './answer.ts'

export interface ProcessResult {
  readonly answer: EngineAnswer
  /** The process ran out of something, of time, or broke down: it takes no further job and must be closed. */
  readonly dead: boolean
  /** The process ended in the middle of the job: it may be the job's doing, or not. */
  readonly crashed?: true
}

export interface EngineProcess {
  readonly pid: number
  /** It ended by itself, or was ended by someone else. */
  readonly isGone: () => boolean
  /** One at a time. Keeps this process alive until it has its answer. Never rejects. */
  readonly run: (job: EngineJob, timeoutMs: number) => Promise<ProcessResult>
  /** Kills the process in whatever it is doing; a job under way ends as `crashed`. */
  readonly close: () => Promise<void>
}

const MAIN = join(import.meta.dirname, 'main.ts')
/** Some hundred times what a start takes; a process that is not ready by then never will be. */
const START_TIMEOUT_MS = 60_000
/** Room for V8's last message with the native stack behind it. */
const STDERR_CHARS = 8_000
const FLAGS = [
  // For inputs and outputs; the memory of a template is the module's and has a limit of its own.
  '--max-old-space-size=64',
  // The module's code stays as long as its process: nothing to win by freeing it, and V8 has died of doing so.
  '--no-wasm-code-gc',
  // One thread that compiles beside the one that runs.
  '--v8-pool-size=1',
  '--disable-warning=ExperimentalWarning',
]

/**
 * Starts a process and warms it. It keeps this one alive only while it starts or runs a job, and ends when this one is gone.
 * A process and no thread, since an error in V8 itself ends the whole process in which it happens.
 * @throws where it cannot be started, with the end of what it wrote to its standard error
 */
export async function startProcess(limits: EngineLimits): Promise<EngineProcess> {
  const child = fork(MAIN, [String(limits.memoryMiB), String(limits.outputKiB)], {
    // Nothing of this process: flags of its main script would refuse a file, its environment holds secrets.
    execArgv: FLAGS,
    env: {},
    // Out of the terminal's reach: Ctrl-C is for the parent, which may still need an answer to drain.
    detached: true,
    serialization: 'advanced',
    // The standard input carries nothing: its end tells the process that its parent is gone.
    stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
  })
  const stderr = keepTail(child)
  let isGone = false
  child.on('error', () => {
    isGone = true
  })
  child.once('exit', () => {
    isGone = true
  })
  await untilReady(child, stderr)
  holdParent(child, false)
  return {
    pid: child.pid!,
    isGone: () => isGone,
    run: async (job, timeoutMs) => {
      if (isGone) return crash(child, stderr())
      holdParent(child, true)
      try {
        return await answerWithin(child, job, timeoutMs, stderr)
      } finally {
        holdParent(child, false)
      }
    },
    close: async () => {
      if (isGone) return
      holdParent(child, true)
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** Reads all that the process writes, for nobody may wait for a full pipe, and keeps the end of it. */
function keepTail(child: ChildProcess): () => string {
  let tail = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-STDERR_CHARS)
  })
  return () => tail
}

function holdParent(child: ChildProcess, isHeld: boolean): void {
  const change = isHeld ? 'ref' : 'unref'
  child[change]()
  child.channel?.[change]()
  const stderr = child.stderr as Socket | null
  stderr?.[change]()
}

async function untilReady(child: ChildProcess, stderr: () => string): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
  try {
    await new Promise((resolve, reject) => {
      child.once('message', resolve).once('error', reject)
      child.once('close', () => reject(new Error(`the engine's process ended with ${endOf(child)}: ${stderr()}`)))
    })
  } finally {
    clearTimeout(timer)
  }
}

function endOf({ signalCode, exitCode }: ChildProcess): string {
  return signalCode ?? `exit code ${exitCode}`
}

function answerWithin(
  child: ChildProcess,
  job: EngineJob,
  timeoutMs: number,
  stderr: () => string,
): Promise<ProcessResult> {
  return new Promise((resolve) => {
    const settle = (result: ProcessResult): void => {
      clearTimeout(timer)
      child.off('message', onMessage).off('close', onClose)
      resolve(result)
    }
    const onMessage = (result: unknown): void => settle(result as ProcessResult)
    // Not 'exit': by 'close' every message that was sent before it has been read.
    const onClose = (): void => settle(crash(child, stderr()))
    const late = { answer: failure('timeout', `not done within ${timeoutMs} ms`), dead: true }
    // After the timer one more turn: when this process was busy itself, the answer may have been here all along.
    const timer = setTimeout(() => setImmediate(() => settle(late)), timeoutMs)
    child.on('message', onMessage).on('close', onClose)
    child.send(job, () => undefined) // what cannot be sent to a process that is gone ends by its 'close'
  })
}

/** The system kills without a word when its memory is full; V8 says so of its heap. */
function crash(child: ChildProcess, stderr: string): ProcessResult {
  const isMemory = child.signalCode === 'SIGKILL' || /out of memory/i.test(stderr)
  const answer = isMemory
    ? failure('memory', 'the engine ran out of memory over this template')
    : failure('runtime', `the engine broke down over this template: ${endOf(child)}`)
  return { answer, dead: true, crashed: true }
}
