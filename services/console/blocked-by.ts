/** Why messages wait that could be sent: what stands in the way of their channel. */
import type { Tx } from '#libs/database'
import { type BlockedBy, findBlockages, type MessageRow } from './message-repository.ts'

/** Others are being sent, or are at their end. */
const WAITING: ReadonlySet<string> = new Set(['queued', 'deferred'])

/** Asks once for each channel of `rows`. @returns of a row what it waits for; null for one that does not wait, or only for its time */
export async function openBlockedBy(
  database: Tx,
  rows: readonly MessageRow[],
): Promise<(row: MessageRow) => BlockedBy | null> {
  const channels = new Map(rows.filter(isWaiting).map((row) => [keyOf(row), row]))
  if (channels.size === 0) return () => null
  const blockages = await findBlockages(database, [...channels.values()])
  const byKey = new Map(blockages.map((blockage) => [keyOf(blockage), blockage.blocked_by]))
  return (row) => (isWaiting(row) ? (byKey.get(keyOf(row)) ?? null) : null)
}

function isWaiting({ state }: MessageRow): boolean {
  return WAITING.has(state)
}

function keyOf({ project_id, channel }: Pick<MessageRow, 'project_id' | 'channel'>): string {
  return `${project_id} ${channel}`
}
