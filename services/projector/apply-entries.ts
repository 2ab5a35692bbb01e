/** Applies what was taken until it is applied: waits out a database that is away, and finds the one record that cannot be stored. */
import { type Database, isTransient, pgCode } from '#libs/database'
import { messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import type { Logger } from '#libs/telemetry'
import { applyBatch, OffsetMoved } from './apply-batch.ts'
import type { Entry } from './partition-queues.ts'

export interface ApplyPorts {
  readonly database: Pick<Database, 'transaction'>
  /** Keeps the original bytes of a record that is skipped. Resolves when they are durable. */
  readonly deadLetter: (entry: Entry, reason: string) => Promise<void>
  readonly stopping: AbortSignal
  readonly log: Logger
}

/** `moved`: a stored offset is elsewhere, load it again. `stopped`: told to stop while waiting; nothing more was applied. */
export type Applied = 'applied' | 'moved' | 'stopped'

const FIRST_PAUSE_MS = 25
const LAST_PAUSE_MS = 5_000
/** Another projector wrote the same message first: PostgreSQL's unique violation. */
const UNIQUE_VIOLATION = '23505'
/** Classes of errors that the data itself causes: data exception, integrity constraint, limit exceeded. */
const DATA_STATE = /^(22|23|54)/

/** Undecodable entries go to the dead letters first, so that their offset moves only after their bytes are safe. */
export async function applyEntries(entries: readonly Entry[], ports: ApplyPorts): Promise<Applied> {
  for (const entry of entries) {
    if (entry.event !== undefined) continue
    if ((await persist(() => ports.deadLetter(entry, entry.problem), ports)) !== 'applied') return 'stopped'
  }
  return applyInHalves(entries, ports)
}

async function applyInHalves(entries: readonly Entry[], ports: ApplyPorts): Promise<Applied> {
  try {
    return await persist(() => applyBatch(ports.database, entries), ports)
  } catch (error) {
    if (entries.length === 1) return skip(entries[0]!, `cannot be stored: ${pgCode(error) ?? messageOf(error)}`, ports)
    const middle = entries.length >> 1
    const first = await applyInHalves(entries.slice(0, middle), ports)
    return first === 'applied' ? applyInHalves(entries.slice(middle), ports) : first
  }
}

async function skip(entry: Entry, problem: string, ports: ApplyPorts): Promise<Applied> {
  return applyEntries([{ ...entry, event: undefined, problem }], ports)
}

/** Repeats `task` until it succeeds or `stopping`; throws only what the data itself causes. */
async function persist(task: () => Promise<void>, { stopping, log }: ApplyPorts): Promise<Applied> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LAST_PAUSE_MS, pauseMs * 2)) {
    try {
      await task()
      return 'applied'
    } catch (error) {
      if (error instanceof OffsetMoved) return 'moved'
      const code = pgCode(error)
      if (isOfData(error, code)) throw error
      log.warn({ reason: messageOf(error), code, transient: isTransient(error) }, 'batch not applied, trying again')
      await sleep(pauseMs, stopping)
      if (stopping.aborted) return 'stopped'
    }
  }
}

/** Everything else is waited out: a missing table or permission is mended by people, and no record is to blame. */
function isOfData(error: unknown, code: string | undefined): boolean {
  if (code === undefined) return error instanceof TypeError || error instanceof RangeError
  return DATA_STATE.test(code) && code !== UNIQUE_VIOLATION
}
