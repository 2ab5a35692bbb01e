/** Whether the whole pipeline is up: the console's own database, and what every other service says of itself. */
import type { Database } from '#libs/database'
import { messageOf } from '#libs/errors'

export interface PartHealth {
  readonly ok: boolean
  readonly detail?: string
  /** What the service says of its own parts. */
  readonly parts?: unknown
}

export interface PipelineHealth {
  readonly status: 'ok' | 'unavailable'
  readonly parts: Readonly<Record<string, PartHealth>>
}

const TIMEOUT_MS = 2_000

/** Asks all at once; a part that does not answer within 2 s is not ready. Never rejects. */
export async function pipelineHealth(
  database: Database,
  peers: Readonly<Record<string, string>>,
): Promise<PipelineHealth> {
  const asked = Object.entries(peers).map(async ([name, url]) => [name, await peerHealth(url)] as const)
  const parts = Object.fromEntries([['console', await databaseHealth(database)], ...(await Promise.all(asked))])
  const isUp = Object.values(parts).every(({ ok }: PartHealth) => ok)
  return { status: isUp ? 'ok' : 'unavailable', parts }
}

async function databaseHealth(database: Database): Promise<PartHealth> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  const late = new Promise<PartHealth>((resolve) =>
    timeout.addEventListener('abort', () => resolve({ ok: false, detail: 'the database does not answer' })),
  )
  const answer = database.query({ text: 'select from console.consumer_offset limit 1' }).then(
    () => ({ ok: true }),
    (error: unknown) => ({ ok: false, detail: `database: ${messageOf(error)}` }),
  )
  return Promise.race([answer, late])
}

async function peerHealth(baseUrl: string): Promise<PartHealth> {
  try {
    const response = await fetch(new URL('/health/ready', baseUrl), { signal: AbortSignal.timeout(TIMEOUT_MS) })
    const { parts } = (await response.json()) as { parts?: unknown }
    return { ok: response.ok, ...(parts !== undefined && { parts }) }
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
    return { ok: false, detail: `no answer from ${baseUrl}: ${messageOf(cause)}` }
  }
}
