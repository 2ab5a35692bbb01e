/** `run.json` of the state folder: every process of the running system, for the command line, for tests and for the next start. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stopProcess } from './foreign-process.ts'
import { readState } from './state-file.ts'

export interface RunningProcess {
  /** identity, relay, courier, projector, console, mailbox, postgres or kafka */
  readonly service: string
  readonly instance: string
  readonly pid: number
  readonly ports: Readonly<Record<string, number>>
}

export interface RunFile {
  /** Of `up` itself. */
  readonly pid: number
  readonly startedAt: string
  readonly urls: Readonly<Record<string, string>>
  readonly processes: readonly RunningProcess[]
}

/** The last content of `home`'s run.json; undefined when nothing was started or all was stopped in order. */
export async function readRunFile(home: string): Promise<RunFile | undefined> {
  const { pid, startedAt, urls, processes } = (await readState<RunFile>(pathOf(home))) ?? {}
  if (pid === undefined || startedAt === undefined || urls === undefined || processes === undefined) return undefined
  return { pid, startedAt, urls, processes }
}

/** Replaces run.json at once, so that the states of two changes never cross. */
export function writeRunFile(home: string, content: RunFile): void {
  const next = `${pathOf(home)}.next`
  writeFileSync(next, `${JSON.stringify(content, undefined, 2)}\n`)
  renameSync(next, pathOf(home))
}

export function removeRunFile(home: string): void {
  rmSync(pathOf(home), { force: true })
}

/**
 * Stops the services and the mailbox of a run whose `up` was killed; they would hold the ports of the next one. The two servers
 * look after their own leftovers.
 */
export async function stopLeftovers(home: string, log: (line: string) => void): Promise<void> {
  const processes = (await readRunFile(home))?.processes ?? []
  const own = processes.filter(({ service }) => service !== 'postgres' && service !== 'kafka')
  const stopped = own.map(async ({ service, pid }) => {
    const marker = service === 'mailbox' ? 'mailbox.ts' : join('services', service, 'main.ts')
    await stopProcess(pid, marker, [
      { signal: 'SIGTERM', waitMs: 5_000 },
      { signal: 'SIGKILL', waitMs: 2_000 },
    ])
  })
  await Promise.all(stopped)
  if (processes.length > 0) log('the last run was killed: its processes are stopped, its state is used again')
  removeRunFile(home)
}

function pathOf(home: string): string {
  return join(home, 'run.json')
}
