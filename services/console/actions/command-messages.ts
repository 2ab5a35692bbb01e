/** Cancel and retry now: of one message, or of all that a filter chooses. */
import type { Database, Tx } from '#libs/database'
import { CodedError } from '#libs/errors'
import { isTerminal, MESSAGE_STATES, type MessageState } from '#libs/messages'
import { bounded } from '../list-messages.ts'
import type { MessageCursor, MessageFilter } from '../message-filter.ts'
import { checkId, notFound } from '../show-message.ts'
import { command, findTarget, listTargets, type Op, type Outcome, type Target } from './action-repository.ts'
import { writeAudit } from './audit.ts'
import { type CancelFacts, cancelEvent } from './cancel-event.ts'

export interface CommandPorts {
  readonly database: Database
  readonly cancelFacts: CancelFacts
}

/** Most messages of one call; what is left is told. */
export const MAX_BULK = 10_000
/** Of a transaction: few enough that a courier never waits long for a row. */
const BATCH = 500

/** Messages that an operator can do something about. A first attempt is on its way already: nothing makes it earlier. */
const OPEN: Record<Op, readonly MessageState[]> = {
  cancel: MESSAGE_STATES.filter((state) => !isTerminal(state)),
  retry: ['deferred', 'held'],
}

/**
 * Retry of a message that waits for its first attempt has no effect: it goes as soon as it can.
 * @throws REQUEST_INVALID, NOT_FOUND, STATE_CONFLICT with `details.state`
 */
export async function commandMessage(op: Op, id: string, actor: string, ports: CommandPorts): Promise<{ id: string }> {
  checkId(id)
  return ports.database.transaction(async (tx) => {
    const target = await findTarget(tx, id.toLowerCase())
    if (target === undefined) throw notFound()
    const { outcome, state } = isTerminal(target.state)
      ? { outcome: 'finished' as const, state: target.state }
      : (await commandAll(tx, op, [target], ports))[0]!
    if (outcome === 'too_late' || outcome === 'finished') throw conflict(op, outcome, state ?? target.state)
    await writeAudit(tx, {
      actor,
      action: `message.${op}`,
      messageId: target.id,
      projectId: target.project_id,
      details: { state: target.state },
    })
    return { id: target.id }
  })
}

export interface Counted {
  readonly count: number
  readonly skipped: number
  /** There are more than one call takes. */
  readonly more: boolean
}

/** How many a call would reach, at most what one call takes. */
export async function countMessages(
  op: Op,
  filter: MessageFilter,
  { database }: CommandPorts,
): Promise<Omit<Counted, 'skipped'>> {
  const targets = await bounded(database, (tx) => listTargets(tx, withOpen(op, filter), MAX_BULK + 1))
  return { count: Math.min(targets.length, MAX_BULK), more: targets.length > MAX_BULK }
}

export interface BulkRequest {
  readonly filter: MessageFilter
  readonly actor: string
  /** The filter as it may be written down: without addresses. */
  readonly told: Readonly<Record<string, unknown>>
}

/** Newest first, in batches that are committed one by one; each has its own line in the audit log. */
export async function commandMessages(op: Op, request: BulkRequest, ports: CommandPorts): Promise<Counted> {
  const filter = withOpen(op, request.filter)
  let count = 0
  let skipped = 0
  for (let after: MessageCursor | undefined; ; ) {
    const room = Math.min(BATCH, MAX_BULK - count - skipped)
    // One more tells whether there is more.
    const found = await bounded(ports.database, (tx) => listTargets(tx, filter, room + 1, after))
    const targets = found.slice(0, room)
    const last = targets.at(-1)
    if (last === undefined) return { count, skipped, more: found.length > 0 }
    const done = await commandBatch(op, targets, request, ports)
    count += done
    skipped += targets.length - done
    if (found.length === targets.length) return { count, skipped, more: false }
    after = { createdAt: last.cursor_at, id: last.id }
  }
}

async function commandBatch(
  op: Op,
  targets: readonly Target[],
  { actor, told }: BulkRequest,
  ports: CommandPorts,
): Promise<number> {
  return ports.database.transaction(async (tx) => {
    const outcomes = await commandAll(tx, op, targets, ports)
    const done = outcomes.filter(({ outcome }) => outcome === 'done').length
    const details = { filter: told, count: done, skipped: targets.length - done }
    await writeAudit(tx, { actor, action: `messages.${op}`, details })
    return done
  })
}

/** In the order of `targets`. */
async function commandAll(tx: Tx, op: Op, targets: readonly Target[], ports: CommandPorts): Promise<Outcome[]> {
  const nowMs = Date.now()
  const events = targets.map((target) => (op === 'cancel' ? cancelEvent(target, ports.cancelFacts, nowMs) : null))
  const outcomes = await command(
    tx,
    op,
    targets.map(({ id }) => id),
    events,
  )
  return targets.map(({ id }) => outcomes.get(id)!)
}

function withOpen(op: Op, filter: MessageFilter): MessageFilter {
  return { ...filter, groups: [...filter.groups, [{ column: 'state', anyOf: OPEN[op] }]] }
}

const WHY: Record<Op, Record<'too_late' | 'finished', string>> = {
  cancel: { too_late: 'it is too late to cancel it.', finished: 'nothing is left to cancel.' },
  retry: {
    too_late: 'wait for the end of this attempt.',
    finished: 'only one that waits or is held can be retried; resend makes a new one.',
  },
}

function conflict(op: Op, outcome: 'too_late' | 'finished', state: string): CodedError {
  const what = outcome === 'too_late' ? 'The message is being sent' : `The message is ${state}`
  return new CodedError('STATE_CONFLICT', `${what}: ${WHY[op][outcome]}`, { details: { state } })
}
