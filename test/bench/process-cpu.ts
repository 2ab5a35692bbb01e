/** CPU time of processes, from /proc: what each part of the chain costs, without asking it. */
import { readdirSync, readFileSync } from 'node:fs'

/** CPU ms by group, since the process started. */
export type CpuMs = Record<string, number>

const TICK_MS = 10 // USER_HZ is 100 on every Linux that Node runs on

/** @param pids group by pid; PostgreSQL's and Kafka's processes are found by their command line. */
export function cpuByGroup(pids: ReadonlyMap<number, string>): CpuMs {
  const sums: CpuMs = {}
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const read = readProcess(entry)
    if (read === undefined) continue
    const group = pids.get(Number(entry)) ?? serverOf(read.command)
    if (group !== undefined) sums[group] = (sums[group] ?? 0) + read.cpuMs
  }
  return sums
}

export function difference(before: CpuMs, after: CpuMs): CpuMs {
  return Object.fromEntries(Object.entries(after).map(([group, ms]) => [group, ms - (before[group] ?? 0)]))
}

function serverOf(command: string): string | undefined {
  if (/\bpostgres(:|$|\s)/.test(command)) return 'postgres'
  return /\bjava\b.*kafka\.Kafka/.test(command) ? 'kafka' : undefined
}

function readProcess(pid: string): { command: string; cpuMs: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // utime, stime, and those of waited-for children, so that a short-lived backend is not lost with its process.
    const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0)
    return { command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '), cpuMs: ticks * TICK_MS }
  } catch {
    return undefined // it ended between the two reads
  }
}
