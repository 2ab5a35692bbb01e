/** `messages retry`, `cancel` and `resend`: by id, or by filter. */
import { createInterface } from 'node:readline/promises'
import { messageOf } from '#libs/errors'
import type { AdminClient } from './admin-client.ts'
import { MESSAGES, messagePath } from './message-json.ts'

export type Action = 'retry' | 'cancel' | 'resend'
export type BulkAction = Exclude<Action, 'resend'>

export interface Acted {
  readonly id: string
  readonly ok: boolean
  /** Of the message that `resend` made. */
  readonly new_id?: string
  readonly error?: string
}

export interface Counted {
  readonly count: number
  readonly skipped?: number
  /** There are more than one call takes. */
  readonly more: boolean
}

const PROGRESS_MS = 1_000
const PAST: Record<BulkAction, string> = { retry: 'retried', cancel: 'cancelled' }

/** One after the other, in the order given; one that is refused does not end it. */
export async function actOnIds(action: Action, ids: readonly string[], client: AdminClient): Promise<Acted[]> {
  const acted: Acted[] = []
  let toldMs = performance.now()
  for (const id of ids) {
    acted.push(await actOn(action, id, client))
    if (performance.now() - toldMs < PROGRESS_MS) continue
    toldMs = performance.now()
    console.error(`${acted.length} of ${ids.length}`)
  }
  return acted
}

async function actOn(action: Action, id: string, client: AdminClient): Promise<Acted> {
  try {
    const { body } = await client.send('POST', messagePath(id, `/${action}`), {})
    return { id, ok: true, ...(action === 'resend' && { new_id: (body as { id: string }).id }) }
  } catch (error) {
    return { id, ok: false, error: messageOf(error) }
  }
}

export interface BulkOptions {
  readonly filter: Readonly<Record<string, string>>
  readonly isDryRun: boolean
  readonly isConfirmed: boolean
  readonly client: AdminClient
}

/** @returns undefined where nobody said yes. @throws where nobody can be asked */
export async function actOnFilter(action: BulkAction, options: BulkOptions): Promise<Counted | undefined> {
  const { filter, isDryRun, isConfirmed, client } = options
  const ask = async (dry_run: boolean): Promise<Counted> =>
    (await client.send('POST', `${MESSAGES}/${action}`, { ...filter, dry_run })).body as Counted
  const expected = await ask(true)
  if (isDryRun || expected.count === 0) return expected
  if (!isConfirmed && !(await isWanted(action, expected))) return undefined
  if (expected.count > 1) console.error(`${action}: ${told(expected)}…`)
  let sum = await ask(false)
  // A message that is cancelled is not found again; one that is retried may be, and would be retried for ever.
  for (let last = sum; action === 'cancel' && last.more && last.count > 0; ) {
    console.error(`${sum.count} ${PAST[action]} so far`)
    last = await ask(false)
    sum = { count: sum.count + last.count, skipped: (sum.skipped ?? 0) + (last.skipped ?? 0), more: last.more }
  }
  return sum
}

async function isWanted(action: BulkAction, expected: Counted): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new Error(`this would ${action} ${told(expected)}: add --yes to do it, or --dry-run to only count`)
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${action} ${told(expected)}? [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}

function told({ count, more }: Counted): string {
  return `${more ? 'more than ' : ''}${count} ${count === 1 ? 'message' : 'messages'}`
}

/** What was done, in words. */
export function countText(action: BulkAction, { count, skipped = 0, more }: Counted, isDryRun: boolean): string {
  if (isDryRun) return `would ${action} ${told({ count, more })}`
  const left = skipped > 0 ? `, ${skipped} left as they were: being sent, or over` : ''
  const others = more ? '; there are more: run it again' : ''
  return `${count} ${PAST[action]}${left}${others}`
}
