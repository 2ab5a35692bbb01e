/** What a console refuses of a changed configuration, repeated for whoever sits before `up`: its own log is a file. */
import { createReadStream, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { poll } from '#libs/lifecycle'

const REFUSAL = /^configuration (refused|not taken over)/

export interface RepeatOptions {
  /** Of the console. */
  readonly logPath: string
  readonly log: (line: string) => void
  readonly stopping: AbortSignal
  /** Between looks. @default 1 s */
  readonly intervalMs?: number
}

/** Tells each refusal that is logged from now on. Resolves with `stopping`. */
export async function repeatRefusals({ logPath, log, stopping, intervalMs = 1_000 }: RepeatOptions): Promise<void> {
  let readTo = statSync(logPath, { throwIfNoEntry: false })?.size ?? 0
  const look = async (): Promise<number> => {
    const size = await sizeOf(logPath)
    // A shorter one is another file, begun at a restart.
    if (size < readTo) readTo = 0
    if (size === readTo) return 0
    const { refusals, bytes } = await refusalsIn(logPath, readTo, size)
    readTo += bytes
    for (const refusal of refusals) log(refusal)
    return 0
  }
  await poll(look, stopping, () => undefined, intervalMs)
}

/** @returns those of whole lines between `from` and `to`, and how far these reach */
async function refusalsIn(path: string, from: number, to: number): Promise<{ refusals: string[]; bytes: number }> {
  const refusals: string[] = []
  let bytes = 0
  for await (const line of createInterface({ input: createReadStream(path, { start: from, end: to - 1 }) })) {
    const length = Buffer.byteLength(line) + 1
    // The last one may still be written.
    if (from + bytes + length > to) break
    bytes += length
    const refusal = refusalOf(line)
    if (refusal !== undefined) refusals.push(refusal)
  }
  return { refusals, bytes }
}

function refusalOf(line: string): string | undefined {
  try {
    const { msg, reason } = JSON.parse(line) as { msg?: unknown; reason?: unknown }
    return typeof msg === 'string' && REFUSAL.test(msg) ? `console: ${msg}\n${String(reason)}` : undefined
  } catch {
    return undefined // a stack trace, or another line that is no record
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}
