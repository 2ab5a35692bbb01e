/**
 * What a status means for Kratos' own tables. Pure, and correct under any order and any duplication: what an event says is absolute, and
 * one that says nothing new changes nothing.
 */
import { type EventState, type OryStatus, oryStatus, type StatusEvent, statusEventId } from '#libs/messages'

/** Kratos' numbers. */
export const SENT = 2
export const PROCESSING = 3
export const ABANDONED = 4

/** What is known of a message: its row in `postrider_kratos.message`. */
export interface Known {
  readonly messageId: string
  readonly kratosId: string
  readonly nid: string
  /** False once the row was queued again and has a newer message. */
  readonly isLatest: boolean
  readonly baseCount: number
  readonly writtenCount: number
  readonly status: number
  readonly position: number
  readonly endedAt: Date | null
  readonly isChangedByOthers: boolean
}

export interface KratosRow {
  readonly status: number
  readonly sendCount: number
}

export interface KratosDispatch {
  readonly id: string
  readonly messageId: string
  readonly nid: string
  readonly status: 'success' | 'failed'
  /** JSON, as Kratos writes it. */
  readonly error: string
  readonly at: string
}

export interface WriteBack {
  readonly known: Known
  /** undefined: Kratos' row is gone. */
  readonly row: KratosRow | undefined
  readonly dispatches: readonly KratosDispatch[]
  /** Somebody else changed the row while it was ours. */
  readonly isForeign: boolean
}

/** While a message is under way its row is kept in processing: queued would hand it to whoever takes rows next. */
const KRATOS_STATUS: Record<OryStatus, number> = {
  queued: PROCESSING,
  processing: PROCESSING,
  sent: SENT,
  abandoned: ABANDONED,
}
/** Within one dispatch: that a mail went out outranks every reason to give up on it. */
const RANK: Readonly<Record<number, number>> = { [PROCESSING]: 1, [ABANDONED]: 2, [SENT]: 3 }
const RANKS = 4
/** What the provider reports later is no try of its own. */
const REPORTS: ReadonlySet<EventState> = new Set(['delivered', 'bounced', 'complained'])
/** How Kratos writes a success. */
const NO_ERROR = 'null'

/** @param events of this one message */
export function decideWriteBack(known: Known, row: KratosRow | undefined, events: readonly StatusEvent[]): WriteBack {
  const isForeign = row !== undefined && isChangedByOthers(known, row)
  let { status, position, endedAt } = known
  let sends = 0
  for (const { data } of events) {
    const to = KRATOS_STATUS[oryStatus(data.status)]
    const at = data.dispatch * RANKS + (RANK[to] ?? 0)
    if (data.attempted) sends = Math.max(sends, data.dispatch)
    if (at <= position) continue
    position = at
    status = to
    endedAt = to === PROCESSING ? null : new Date(data.occurred_at)
  }
  const written = row === undefined ? undefined : writtenRow(known, row, status, sends)
  return {
    known: {
      ...known,
      status,
      position,
      endedAt,
      writtenCount: (known.isLatest ? written?.sendCount : undefined) ?? known.writtenCount,
      isChangedByOthers: known.isChangedByOthers || isForeign,
    },
    row: written,
    dispatches: row === undefined ? [] : events.filter(isTry).map((event) => dispatchOf(known, event)),
    isForeign,
  }
}

/** Told once per message. Who only queues the row again, as an operator may, has changed nothing that matters here. */
export function isChangedByOthers(known: Known, row: KratosRow): boolean {
  if (known.isChangedByOthers || !known.isLatest) return false
  return row.sendCount !== known.writtenCount || (known.status === PROCESSING && [SENT, ABANDONED].includes(row.status))
}

/** A status is written when it becomes another one, not when it is heard again: meanwhile somebody may have queued the row anew. */
function writtenRow(known: Known, row: KratosRow, status: number, sends: number): KratosRow {
  if (!known.isLatest) return row
  return {
    status: status === known.status ? row.status : status,
    sendCount: Math.max(row.sendCount, sends === 0 ? 0 : known.baseCount + sends),
  }
}

function isTry({ data }: StatusEvent): boolean {
  return !REPORTS.has(data.status)
}

function dispatchOf({ kratosId, nid }: Known, { data }: StatusEvent): KratosDispatch {
  const { message_id, dispatch, status, occurred_at } = data
  const isSent = status === 'sent'
  return {
    id: statusEventId(message_id, dispatch, status),
    messageId: kratosId,
    nid,
    status: isSent ? 'success' : 'failed',
    error: isSent ? NO_ERROR : JSON.stringify(errorOf(data)),
    at: occurred_at,
  }
}

/** The fields of Kratos' own errors, in its order. */
function errorOf({ status, reason, error, failure_class, reply, message_id }: StatusEvent['data']) {
  const details = {
    postrider_message_id: message_id,
    state: status,
    ...(failure_class !== undefined && { class: failure_class }),
    ...(reply !== undefined && { reply_code: reply.code }),
    ...(reply?.enhanced !== undefined && { enhanced_code: reply.enhanced }),
  }
  return {
    code: 500,
    status: 'Internal Server Error',
    reason: REASONS[status] ?? 'failed to send the message',
    details,
    message: error ?? reason ?? status,
  }
}

const REASONS: Partial<Record<EventState, string>> = {
  deferred: 'failed to send the message, another attempt follows',
  held: 'the outcome of the attempt is unknown',
  expired: 'the message expired before it could be sent',
  superseded: 'a newer message to the same recipient took its place',
  cancelled: 'the message was cancelled',
  suppressed: 'the recipient is on the suppression list',
}
