/** Applies one batch in one transaction: offsets first, then what the records bring about. */
import type { Database, Tx } from '#libs/database'
import type { Entry, PartitionQueue } from './partition-queues.ts'
import { type DispatchRow, dispatchOf, type ProjectedMessage, projectStatus, unknownMessage } from './project-status.ts'
import {
  deleteAccepted,
  insertDispatches,
  insertMessages,
  loadMessages,
  moveOffsets,
  type OffsetMove,
  updateProgress,
  writeFacts,
} from './read-model.ts'

/** A stored offset is not where this projector left it: another one, or an earlier run, was here. */
export class OffsetMoved extends Error {
  override readonly name = 'OffsetMoved'
}

/**
 * All or nothing; entries without an event only move the offset.
 * @param entries in offset order within each partition, beginning at the queue's `next`
 * @throws OffsetMoved: nothing was applied
 */
export async function applyBatch(database: Pick<Database, 'transaction'>, entries: readonly Entry[]): Promise<void> {
  const moves = offsetMoves(entries)
  const ids = [...new Set(entries.flatMap(({ event }) => (event === undefined ? [] : [event.id])))].sort()
  await database.transaction(async (tx) => {
    if ((await moveOffsets(tx, [...moves.values()], ids)) < moves.size) throw new OffsetMoved()
    if (ids.length > 0) await writeChanges(tx, await loadMessages(tx, ids), ids, entries)
  })
  for (const [queue, { next }] of moves) queue.next = next
}

function offsetMoves(entries: readonly Entry[]): Map<PartitionQueue, OffsetMove> {
  const moves = new Map<PartitionQueue, OffsetMove>()
  for (const { queue, record } of entries) {
    const { topic, partition, next } = queue
    moves.set(queue, { topic, partition, expected: next, next: record.offset + 1 })
  }
  return moves
}

async function writeChanges(
  tx: Tx,
  stored: ReadonlyMap<string, ProjectedMessage>,
  ids: readonly string[],
  entries: readonly Entry[],
): Promise<void> {
  const { messages, dispatches } = fold(stored, entries)
  const inserted: ProjectedMessage[] = []
  const recognised: ProjectedMessage[] = []
  const advanced: ProjectedMessage[] = []
  const recorded: string[] = []
  for (const id of ids) {
    const before = stored.get(id)
    const after = messages.get(id)!
    if (before === undefined) inserted.push(after)
    else {
      if (after.facts !== null) recognised.push(after)
      if (after.progress !== before.progress) advanced.push(after)
    }
    if (after.factsFrom === 'record' && before?.factsFrom !== 'record') recorded.push(id)
  }
  if (inserted.length > 0) await insertMessages(tx, inserted)
  if (recognised.length > 0) await writeFacts(tx, recognised)
  if (advanced.length > 0) await updateProgress(tx, advanced)
  if (dispatches.length > 0) await insertDispatches(tx, dispatches)
  if (recorded.length > 0) await deleteAccepted(tx, recorded)
}

function fold(
  stored: ReadonlyMap<string, ProjectedMessage>,
  entries: readonly Entry[],
): { messages: Map<string, ProjectedMessage>; dispatches: DispatchRow[] } {
  const messages = new Map(stored)
  const dispatches: DispatchRow[] = []
  for (const { event } of entries) {
    if (event === undefined) continue
    messages.set(event.id, projectStatus(messages.get(event.id) ?? unknownMessage(event.id), event))
    const dispatch = event.kind === 'status' ? dispatchOf(event.event) : undefined
    if (dispatch !== undefined) dispatches.push(dispatch)
  }
  return { messages, dispatches: dispatches.sort(byMessage) }
}

function byMessage(a: DispatchRow, b: DispatchRow): number {
  return a.message_id < b.message_id ? -1 : a.message_id > b.message_id ? 1 : a.dispatch - b.dispatch
}
