/** Status events into Kratos' own tables, so that its admin API stays true. One transaction per batch; any batch may come again. */
import type { Database, Tx } from '#libs/database'
import type { StatusEvent } from '#libs/messages'
import { decideWriteBack, type Known, type KratosDispatch, type KratosRow } from './decide-write-back.ts'
import {
  findKratosIds,
  insertDispatches,
  lockKnown,
  lockKratosRows,
  updateKnown,
  updateKratosRows,
} from './write-back-repository.ts'

export interface WrittenBack {
  /** Events of this source. */
  readonly events: readonly StatusEvent[]
  /** Kratos' ids of rows that somebody else had changed. */
  readonly foreign: readonly string[]
}

/** Events of other sources are passed over, and so are those whose row was deleted. */
export async function writeBack(database: Database, given: readonly StatusEvent[]): Promise<WrittenBack> {
  const byMessage = Map.groupBy(given, ({ data }) => data.message_id as string)
  const kratosIds = await findKratosIds(database, [...byMessage.keys()])
  if (kratosIds.size === 0) return { events: [], foreign: [] }
  const foreign = await database.transaction((tx) => apply(tx, byMessage, kratosIds))
  return { events: given.filter(({ data }) => kratosIds.has(data.message_id)), foreign }
}

/**
 * Looks again at messages whose rows look changed, under the locks that those who write take: what still does not fit is marked.
 * @param suspects Kratos' id by message id
 * @returns Kratos' ids of those that others changed; each is told once
 */
export async function confirmForeign(database: Database, suspects: ReadonlyMap<string, string>): Promise<string[]> {
  if (suspects.size === 0) return []
  return database.transaction((tx) => apply(tx, new Map(), suspects))
}

async function apply(
  tx: Tx,
  events: ReadonlyMap<string, readonly StatusEvent[]>,
  kratosIds: ReadonlyMap<string, string>,
): Promise<string[]> {
  const before = await lockKratosRows(tx, [...new Set(kratosIds.values())])
  const known = await lockKnown(tx, [...kratosIds.keys()])
  const after = new Map(before)
  const changed: Known[] = []
  const dispatches: KratosDispatch[] = []
  const foreign: string[] = []
  for (const one of known) {
    const decided = decideWriteBack(one, after.get(one.kratosId), events.get(one.messageId) ?? [])
    if (decided.row !== undefined) after.set(one.kratosId, decided.row)
    if (isOther(one, decided.known)) changed.push(decided.known)
    if (decided.isForeign) foreign.push(one.kratosId)
    dispatches.push(...decided.dispatches)
  }
  await updateKratosRows(
    tx,
    [...after].filter(([id, row]) => isOtherRow(before.get(id), row)),
  )
  await updateKnown(tx, changed)
  await insertDispatches(tx, dispatches)
  return foreign
}

function isOther(before: Known, after: Known): boolean {
  return (
    before.position !== after.position ||
    before.writtenCount !== after.writtenCount ||
    before.isChangedByOthers !== after.isChangedByOthers
  )
}

function isOtherRow(before: KratosRow | undefined, after: KratosRow): boolean {
  return before?.status !== after.status || before.sendCount !== after.sendCount
}
