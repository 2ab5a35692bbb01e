/**
 * Processes known by their id alone, such as a server that outlived the one that started it. An id says nothing by itself: after a
 * crash or a reboot it may belong to any program, so each question here also asks for a `marker` in the command line.
 */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Whether `pid` lives and its command line holds `marker`. A zombie has no command line and counts as dead. */
export async function isRunning(pid: number, marker: string): Promise<boolean> {
  return (await commandOf(pid)).includes(marker)
}

/** Sends each signal in turn and waits up to its `waitMs` for the end; returns at once when the process is not (or no longer) there. */
export async function stopProcess(
  pid: number,
  marker: string,
  steps: readonly { signal: NodeJS.Signals; waitMs: number }[],
): Promise<void> {
  for (const { signal, waitMs } of steps) {
    if (!(await isRunning(pid, marker))) return
    sendSignal(pid, signal)
    const deadline = Date.now() + waitMs
    while (Date.now() < deadline && (await isRunning(pid, marker))) await sleep(30)
  }
}

/** Sends `signal`; a process that has gone meanwhile is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!isGone(error)) throw error
  }
}

async function commandOf(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
    return (await run('ps', ['-ww', '-o', 'command=', '-p', String(pid)])).stdout
  } catch {
    return '' // no such process: /proc has no entry, and ps exits 1
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ESRCH'
}
