/**
 * From claim to send: claims in batches, keeps a short row of claimed messages ready per channel, and starts a send whenever a
 * channel has room.
 */
import { messageOf } from '#libs/errors'
import { type ClaimPorts, claimMessages } from './claim-messages.ts'
import type { Delivery } from './delivery.ts'
import type { Intake } from './intake.ts'
import type { PrepareMail } from './prepare-mail.ts'
import { openReadyQueue, type ReadyQueue } from './ready-queue.ts'
import type { SelectChannel, SelectedChannel } from './select-channel.ts'
import { failedBeforeSend, type TryResult } from './try-result.ts'

/** Claimed messages kept ready: enough that claims come in large batches, few enough that a crash delays few. */
const READY = 200
/** Most of what fell due that is kept ready beside them: a backlog of retries never stands before what just arrived. */
const READY_DUE = READY / 2
const CLAIM_RETRY_MS = 1_000
/** A message sealed with a secret that this courier does not have is never dropped: it waits for the operator. */
const UNOPENED_RETRY_MS = 30_000
/** A message whose couriers stopped that often runs alone, so that it takes no others down; */
const RECLAIMS_ALONE = 2
/** and then is held: something about it stops couriers. */
const RECLAIMS_HELD = 5
const STOPPED_TOO_OFTEN = `${RECLAIMS_HELD} couriers stopped while they held it: look at the couriers' last log lines, then retry or cancel it`
const TOO_LATE = 'its lifetime ended before it could be sent'
/** A try ends by then; a claim with less than that left of its lease is given back, since someone else may take it next. */
export const TRY_LIMIT_MS = 120_000

export interface DispatchPorts extends ClaimPorts {
  readonly intake: Intake
  readonly selectChannel: SelectChannel
  readonly prepareMail: PrepareMail
  /** Takes the result of every try, and of every message that ended without one. */
  readonly conclude: (delivery: Delivery, result: TryResult) => void
  /** Gives claims back to the ledger, due in `delayMs`. */
  readonly giveBack: (deliveries: readonly Delivery[], delayMs: number) => void
  /** Half of the room for due messages is free again. */
  readonly onDueRoom: () => void
}

export interface Dispatcher {
  /** Something arrived or a place came free. */
  readonly wake: () => void
  /** How many more messages that fell due can be kept ready. */
  readonly room: () => number
  /** Takes messages that were claimed elsewhere: those that fell due. */
  readonly accept: (claimed: readonly Delivery[]) => void
  readonly sending: () => number
  /** Starts nothing more and gives back what was claimed but not tried. */
  readonly stop: () => void
}

interface Suspect {
  readonly delivery: Delivery
  readonly queue: ReadyQueue
}

export function openDispatcher(ports: DispatchPorts): Dispatcher {
  const queues = new Map<string, ReadyQueue>()
  const suspects: Suspect[] = []
  /** Of those that are ready: what fell due. */
  const due = new Set<Delivery>()
  let sending = 0
  let alone = false
  let claiming = false
  let stopped = false

  function ready(): number {
    let size = suspects.length
    for (const queue of queues.values()) size += queue.size
    return size
  }

  function wake(): void {
    if (alone || stopped) return
    const index = suspects.findIndex(({ queue }) => queue.channel.port.free > 0)
    if (index >= 0) {
      if (sending === 0) startAlone(index)
      return
    }
    for (const queue of queues.values()) {
      for (let delivery = queue.next(); delivery !== undefined; delivery = queue.next()) start(delivery, queue)
    }
    claimNext()
  }

  function startAlone(index: number): void {
    const [suspect] = suspects.splice(index, 1)
    if (suspect === undefined) return
    alone = true
    start(suspect.delivery, suspect.queue)
    if (sending > 0) return
    alone = false
    wake()
  }

  /** Claims once half of the ready row is gone: small statements cost more than the wait they save. */
  function claimNext(): void {
    const kept = ready() - due.size
    if (claiming || stopped || kept > READY / 2) return
    const batch = ports.intake.take(READY - kept)
    if (batch.length === 0) return
    claiming = true
    claimMessages(batch, ports)
      .then((claimed) => {
        claiming = false
        accept(claimed)
      })
      .catch((error) => {
        // The ledger is away: nothing is sent unclaimed, the messages stay and their offsets stay open.
        ports.log.warn({ reason: messageOf(error), messages: batch.length }, 'claim failed, trying again')
        ports.intake.giveBack(batch)
        setTimeout(() => {
          claiming = false
          wake()
        }, CLAIM_RETRY_MS)
      })
  }

  function accept(claimed: readonly Delivery[]): void {
    if (stopped) return ports.giveBack(claimed, 0)
    for (const delivery of claimed) enqueue(delivery)
    wake()
  }

  function acceptDue(claimed: readonly Delivery[]): void {
    if (!stopped) for (const delivery of claimed) due.add(delivery)
    accept(claimed)
  }

  function enqueue(delivery: Delivery): void {
    // Before anything else: what is held for an operator comes back when its life is over, and only then.
    if (Date.now() >= delivery.expiresAtMs) return conclude(delivery, failedBeforeSend('expired', TOO_LATE))
    const channel = ports.selectChannel(delivery.record)
    if (channel === undefined) return conclude(delivery, failedBeforeSend('config', noChannel(delivery)))
    if (delivery.reclaims >= RECLAIMS_HELD) return conclude(delivery, failedBeforeSend('ambiguous', STOPPED_TOO_OFTEN))
    const queue = queueOf(channel)
    if (delivery.reclaims >= RECLAIMS_ALONE) suspects.push({ delivery, queue })
    else queue.push(delivery)
  }

  function queueOf(channel: SelectedChannel): ReadyQueue {
    const known = queues.get(channel.key)
    if (known?.channel === channel) return known
    const queue = openReadyQueue(channel)
    queues.set(channel.key, queue)
    for (const delivery of known?.drain() ?? []) queue.push(delivery)
    return queue
  }

  function start(delivery: Delivery, { channel }: ReadyQueue): void {
    const nowMs = Date.now()
    forgetDue(delivery)
    if (nowMs >= delivery.expiresAtMs) return conclude(delivery, failedBeforeSend('expired', TOO_LATE))
    if (nowMs + TRY_LIMIT_MS > delivery.leaseUntilMs) return ports.giveBack([delivery], 0)
    const prepared = prepare(delivery, nowMs + TRY_LIMIT_MS)
    if (prepared === undefined) return
    if ('failure' in prepared) return conclude(delivery, prepared)
    const { mail, domain, renderMs } = prepared
    delivery.stage = 'sending'
    sending += 1
    channel.port.send(
      mail,
      (attempt) => {
        sending -= 1
        alone = false
        conclude(delivery, { attempt, failure: attempt.failure, subject: mail.subject, domain, renderMs })
        wake()
      },
      () => Date.now() < delivery.expiresAtMs,
    )
  }

  function forgetDue(delivery: Delivery): void {
    if (due.delete(delivery) && due.size === READY_DUE / 2) ports.onDueRoom()
  }

  function prepare(delivery: Delivery, deadlineMs: number) {
    try {
      return ports.prepareMail(delivery, deadlineMs)
    } catch (error) {
      ports.log.error(
        { message_id: delivery.record.id, reason: messageOf(error) },
        'message waits: it cannot be opened here',
      )
      ports.giveBack([delivery], UNOPENED_RETRY_MS)
      return undefined
    }
  }

  function conclude(delivery: Delivery, result: TryResult): void {
    forgetDue(delivery)
    delivery.stage = 'concluding'
    ports.conclude(delivery, result)
  }

  return {
    wake,
    room: () => Math.max(0, READY_DUE - due.size),
    accept: acceptDue,
    sending: () => sending,
    stop: () => {
      stopped = true
      const untried = suspects.splice(0).map(({ delivery }) => delivery)
      for (const queue of queues.values()) untried.push(...queue.drain())
      due.clear()
      if (untried.length > 0) ports.giveBack(untried, 0)
    },
  }
}

function noChannel({ record }: Delivery): string {
  return `no channel is configured for ${record.channel}: add it to courier.channels`
}
