/** A server of the state folder: started in a process group of its own, so that a Ctrl-C in the terminal does not reach it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CodedError } from '#libs/errors'

export interface ServerCommand {
  readonly file: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly logPath: string
  /** The account that runs it, when this process is root and the server refuses root. */
  readonly account?: { readonly uid: number; readonly gid: number }
}

export interface ServerProcess {
  readonly pid: number
  /** Resolves with a short reason (`code 1`, `SIGKILL`) when the process has ended. */
  readonly ended: Promise<string>
}

/** Starts `command` with its output appended to the log file. The server outlives this process; whoever started it stops it. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  await mkdir(dirname(command.logPath), { recursive: true })
  await using log = await open(command.logPath, 'a')
  const child = spawn(command.file, command.args, {
    cwd: '/',
    detached: true,
    env: command.env,
    stdio: ['ignore', log.fd, log.fd],
    ...command.account,
  })
  const ended = endOf(child)
  if (child.pid === undefined) throw new CodedError('SERVER_START_FAILED', `${command.file}: ${await ended}`)
  return { pid: child.pid, ended }
}

/** Polls `isReady` every 30 ms until it is true. @throws SERVER_START_FAILED with the end of the log on death or after `timeoutMs`. */
export async function untilReady(
  what: string,
  server: ServerProcess,
  isReady: () => Promise<boolean>,
  options: { logPath: string; timeoutMs: number; stopping?: AbortSignal | undefined },
): Promise<void> {
  let end: string | undefined
  server.ended.then((reason) => {
    end = reason
  })
  const deadline = Date.now() + options.timeoutMs
  while (!(await isReady())) {
    options.stopping?.throwIfAborted()
    if (end !== undefined || Date.now() > deadline) {
      const reason = end === undefined ? `was not ready after ${options.timeoutMs / 1000} s` : `ended (${end})`
      const lines = await lastLines(options.logPath, 5)
      throw new CodedError('SERVER_START_FAILED', `${what} ${reason}; the end of ${options.logPath}:\n${lines}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

/** The last `count` lines of a file, empty when there is none. */
export async function lastLines(path: string, count: number): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-count).join('\n')
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`))
  })
}
