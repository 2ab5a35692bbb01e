import type { Database } from '#libs/database'
import { messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import type { Logger } from '#libs/telemetry'
import type { KratosMode } from './config.ts'
import {
  adoptProcessing,
  beginDrain,
  countStranded,
  endDrain,
  readSource,
  type SourceState,
} from './source-repository.ts'

export type SourceMode = Pick<KratosMode, 'drain' | 'resume' | 'adoptProcessing'>

const RETRY_MS = 1_000

/** Does what was asked for at the start; waits out a database that is away. @returns undefined when told to stop first */
export async function beginSource(
  database: Database,
  mode: SourceMode,
  log: Logger,
  stopping: AbortSignal,
): Promise<SourceState | undefined> {
  while (!stopping.aborted) {
    try {
      return await applyMode(database, mode, log)
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'source not opened, trying again')
      await sleep(RETRY_MS, stopping)
    }
  }
  return undefined
}

async function applyMode(database: Database, mode: SourceMode, log: Logger): Promise<SourceState> {
  if (mode.drain) await beginDrain(database)
  if (mode.resume && (await endDrain(database))) log.info('rows are taken again')
  if (mode.adoptProcessing)
    log.info({ rows: await adoptProcessing(database) }, 'rows left in processing are queued again')
  const source = await readSource(database)
  if (source.drainingSince !== null && !mode.drain) log.warn(drainingText(source.drainingSince))
  const stranded = await countStranded(database)
  if (stranded > 0) log.warn({ rows: stranded }, 'rows stand in processing and nobody has them: --adopt-processing')
  return source
}

export function drainingText(since: Date): string {
  return `drained since ${since.toISOString()}, so nothing new is taken: start a relay with --resume to go on`
}
