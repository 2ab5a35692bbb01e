/** Takes the operator's configuration over at start, and again whenever its files change. */
import { stat } from 'node:fs/promises'
import { isCoded, messageOf } from '#libs/errors'
import { poll } from '#libs/lifecycle'
import type { Logger } from '#libs/telemetry'

export interface ConfigFilePorts {
  /** That are watched, be they there or not. */
  readonly files: readonly string[]
  /** Reads files and environment anew. @throws CONFIG_INVALID */
  readonly read: () => Readonly<Record<string, unknown>>
  /** @returns the revision that it became; undefined for none. @throws REQUEST_INVALID */
  readonly takeOver: (document: Readonly<Record<string, unknown>>) => Promise<number | undefined>
  readonly log: Pick<Logger, 'info' | 'error'>
  /** Between looks. @default 1 s */
  readonly intervalMs?: number
}

const INTERVAL_MS = 1_000

/**
 * Resolves after the first look; `ended` does with `stopping`. The files are looked at by name, through every link: a file that another one replaced, a Kubernetes volume
 * that points elsewhere and a network share are all seen, which none of the system's notices promises. An invalid configuration is
 * told once and changes nothing; while the database is away the change waits.
 */
export async function followConfigFile(
  ports: ConfigFilePorts,
  stopping: AbortSignal,
): Promise<{ ended: Promise<void> }> {
  const { files, log, intervalMs = INTERVAL_MS } = ports
  let taken: string | undefined
  let last = await stateOf(files)

  async function look(): Promise<number> {
    const state = await stateOf(files)
    // One that is still being written is left alone until it stays as it is for a turn.
    const isSettled = state === last
    last = state
    if (!isSettled || state === taken) return 0
    await takeOverOnce(ports)
    taken = state
    return 0
  }

  const tell = (error: unknown): void =>
    log.error({ reason: messageOf(error) }, 'configuration not taken over, will be tried again')
  await look().catch(tell)
  return { ended: poll(look, stopping, tell, intervalMs) }
}

async function takeOverOnce({ read, takeOver, log }: ConfigFilePorts): Promise<void> {
  try {
    const revision = await takeOver(read())
    if (revision !== undefined) log.info({ revision }, 'configuration taken over as a revision of the project default')
  } catch (error) {
    if (!isCoded(error, 'CONFIG_INVALID') && !isCoded(error, 'REQUEST_INVALID')) throw error
    log.error(
      { reason: error.message },
      'configuration refused, the last good one stays: correct these keys in the file; it is read again when it changes',
    )
  }
}

/** Differs after every change of what the names lead to. */
async function stateOf(files: readonly string[]): Promise<string> {
  const states = await Promise.all(
    files.map(async (file) => {
      const found = await stat(file).catch(() => undefined)
      return found && [found.dev, found.ino, found.size, found.mtimeMs, found.ctimeMs].join(':')
    }),
  )
  return states.join(' ')
}
