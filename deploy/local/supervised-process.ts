/** One child of `up` that is kept alive: started again after each death that nobody asked for. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { createRestartDelay } from './restart-delay.ts'
import { lastLines } from './server-process.ts'

const LOG_LIMIT_BYTES = 64 * 1024 * 1024

export interface ProcessPlan {
  readonly service: string
  /** Unique; names the log file too. */
  readonly instance: string
  /** Absolute path of the script that Node runs. */
  readonly script: string
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  readonly ports: Readonly<Record<string, number>>
  readonly logPath: string
  /** Whether a Ctrl-C in the terminal must not reach it. */
  readonly ownGroup: boolean
}

export interface SupervisedProcess {
  readonly plan: ProcessPlan
  /** Undefined between a death and the next start. */
  readonly pid: number | undefined
  /** SIGTERM, and SIGKILL after `waitMs` or as soon as `hurrying` aborts; resolves when the process is gone. Ends the restarts. */
  stop(waitMs: number, hurrying: AbortSignal): Promise<void>
}

/** Starts `plan` at once. `onChange` is called after each start and each death. */
export function superviseProcess(
  plan: ProcessPlan,
  options: { onChange: () => void; log: (line: string) => void },
): SupervisedProcess {
  const delay = createRestartDelay()
  let child: ChildProcess | undefined
  let isStopping = false
  let restart: NodeJS.Timeout | undefined

  const start = (): void => {
    const startedAt = Date.now()
    const started = spawnPlan(plan)
    child = started
    started.once('error', (error) => onEnd(error.message))
    started.once('exit', (code, signal) => onEnd(signal ?? `code ${code}`))
    const onEnd = (reason: string): void => {
      if (child !== started) return // both events of one end
      child = undefined
      options.onChange()
      if (isStopping) return
      const delayMs = delay.next(Date.now() - startedAt)
      restart = setTimeout(start, delayMs)
      void reportEnd(plan, reason, delayMs, options.log)
    }
    options.onChange()
  }
  start()

  return {
    plan,
    get pid() {
      return child?.pid
    },
    async stop(waitMs, hurrying) {
      isStopping = true
      clearTimeout(restart)
      const running = child
      if (running === undefined) return
      const gone = new Promise((resolve) => running.once('close', resolve))
      const kill = (): boolean => running.kill('SIGKILL')
      const timer = setTimeout(kill, waitMs)
      hurrying.addEventListener('abort', kill)
      running.kill(hurrying.aborted ? 'SIGKILL' : 'SIGTERM')
      await gone
      clearTimeout(timer)
      hurrying.removeEventListener('abort', kill)
    },
  }
}

function spawnPlan(plan: ProcessPlan): ChildProcess {
  mkdirSync(dirname(plan.logPath), { recursive: true })
  if ((statSync(plan.logPath, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) {
    renameSync(plan.logPath, `${plan.logPath}.1`)
  }
  const log = openSync(plan.logPath, 'a')
  try {
    return spawn(process.execPath, [plan.script], {
      cwd: plan.folder,
      env: plan.env,
      detached: plan.ownGroup,
      stdio: ['ignore', log, log],
    })
  } finally {
    closeSync(log)
  }
}

async function reportEnd(
  plan: ProcessPlan,
  reason: string,
  delayMs: number,
  log: (line: string) => void,
): Promise<void> {
  log(`${plan.instance} ended (${reason}), starts again in ${delayMs / 1000} s; see ${plan.logPath}`)
  if (reason === 'SIGKILL') return // its last words say nothing about that
  for (const line of (await lastLines(plan.logPath, 3)).split('\n')) if (line !== '') log(`  ${line.slice(0, 400)}`)
}
