/**
 * From claim to send: claims in batches, keeps a short row of claimed messages ready per channel, and starts a send whenever a
 * channel has room.
 */
import { messageOf } from '#libs/errors'
import type { MessageRecord } from '#libs/messages'
import { type ClaimPorts, claimMessages } from './claim-messages.ts'
import { type Delivery, logFieldsOf } from './delivery.ts'
import { openDueRow } from './due-row.ts'
import type { Intake } from './intake.ts'
import { dueRoom, freshRoom, isBoundToFirst, type PlacesOf, providerFor, untilProbeMs } from './next-provider.ts'
import type { Prepared, PrepareMail } from './prepare-mail.ts'
import { openReadyQueue, type ReadyQueue } from './ready-queue.ts'
import type { SelectChannel, SelectedChannel } from './select-channel.ts'
import type { TryResult } from './try-result.ts'
import { endBeforeTry, noChannel, stoppedMeanwhile, stoppedTooOften } from './why-unsent.ts'

/** Claimed messages kept ready: enough that claims come in large batches, few enough that a crash delays few. */
const READY = 200
/** Most of what fell due that is kept ready beside them: a backlog of retries never stands before what just arrived. */
const READY_DUE = READY / 2
/** Where there are several channels, none keeps more than this share of either ready. */
const SHARE = 1 / 4
const CLAIM_RETRY_MS = 1_000
/** A message, or settings, sealed with a secret that this courier does not have: never dropped, it waits for the operator. */
const UNOPENED_RETRY_MS = 30_000
/** A message whose couriers stopped that often runs alone, so that it takes no others down; */
const RECLAIMS_ALONE = 2
/** and then is held: something about it stops couriers. */
const RECLAIMS_HELD = 5
/** A try ends by then; a claim with less than that left of its lease is given back, since someone else may take it next. */
export const TRY_LIMIT_MS = 120_000

export interface DispatchPorts extends ClaimPorts {
  readonly intake: Intake
  readonly selectChannel: SelectChannel
  /** The channel of that key as it is now; a row may still be ready for one that was replaced. */
  readonly channelOf: (channelKey: string) => SelectedChannel | undefined
  /** Whether it is not known which channel is the right one. */
  readonly mustWait?: (record: MessageRecord) => boolean
  readonly prepareMail: PrepareMail
  /** Whether a message, once it may have been sent, waits for an operator and is not sent again. */
  readonly isHeldWhenUnknown: (record: MessageRecord) => boolean
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
  /** Of these, how many of one channel: none while it is blocked, but for the one that probes it, and what a next provider takes. */
  readonly roomOf: (channelKey: string) => number
  /** Gives what is ready to the channels that have it now: the next attempt takes them. */
  readonly rearrange: () => void
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
  const due = openDueRow()
  let sending = 0
  let alone = false
  let claiming = false
  let stopped = false

  function wake(): void {
    if (alone || stopped) return
    const index = suspects.findIndex(({ queue }) => queue.channel.port.free > 0)
    if (index >= 0) {
      if (sending === 0) startAlone(index)
      return
    }
    for (const queue of queues.values()) {
      for (let delivery = queue.next(); delivery !== undefined; delivery = queue.next()) start(delivery, queue)
      if (queue.size > 0 && queue.channel.blockage() !== undefined) park(queue)
    }
    claimNext()
  }

  /** What cannot go for now waits in the ledger, without a claim and without a place. */
  function park({ channel, drain }: ReadyQueue): void {
    const parked = drain()
    for (const delivery of parked) forgetDue(delivery)
    // What must not go to the next provider would be claimed over and over while that one has room.
    const bound = channel.next === undefined ? [] : parked.filter(isBoundToFirst)
    const others = bound.length === 0 ? parked : parked.filter((delivery) => !isBoundToFirst(delivery))
    if (bound.length > 0) ports.giveBack(bound, untilProbeMs(channel))
    if (others.length > 0) ports.giveBack(others, 0)
  }

  /** Whether a channel takes mail now: while it is blocked only the one that probes it. */
  function isOpen(channel: SelectedChannel): boolean {
    return channel.blockage() === undefined || isProbeDue(channel)
  }

  function isProbeDue({ key, port }: SelectedChannel): boolean {
    const queue = queues.get(key)
    return (queue?.size ?? 0) === 0 && port.free > (queue?.kept ?? 0)
  }

  /** Places of a channel among `all`, of which it has `kept`. */
  function placesOf(channelKey: string, all: number, kept: number): number {
    const channel = ports.channelOf(channelKey)
    if (channel?.blockage() !== undefined) return isProbeDue(channel) ? 1 : 0
    const most = queues.size > 1 ? all * SHARE : all
    return Math.max(0, most - kept)
  }

  /** Of a channel, once half of its places is free: small statements cost more than the wait they save. */
  function freshPlacesOf(channelKey: string): number {
    const kept = (queues.get(channelKey)?.size ?? 0) - due.sizeOf(channelKey)
    const places = placesOf(channelKey, READY, kept)
    return places < kept ? 0 : places
  }

  function duePlacesOf(channelKey: string): number {
    return placesOf(channelKey, READY_DUE, due.sizeOf(channelKey))
  }

  function roomOf(channelKey: string, room: typeof dueRoom, placesOf: PlacesOf): number {
    const channel = ports.channelOf(channelKey)
    return channel === undefined ? placesOf(channelKey) : room(channel, placesOf)
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

  function claimNext(): void {
    if (claiming || stopped) return
    const batch = ports.intake.take(READY, (channelKey) => roomOf(channelKey, freshRoom, freshPlacesOf))
    if (batch.length === 0) return
    claiming = true
    claimMessages(batch, ports)
      .then((claimed) => {
        claiming = false
        accept(claimed, false)
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

  function accept(claimed: readonly Delivery[], isDue: boolean): void {
    if (stopped) return ports.giveBack(claimed, 0)
    for (const delivery of claimed) enqueue(delivery, isDue)
    wake()
  }

  function enqueue(delivery: Delivery, isDue: boolean): void {
    // Before anything else: what is held for an operator comes back when its life is over, and only then.
    const end = endBeforeTry(delivery, Date.now())
    if (end !== undefined) return conclude(delivery, end)
    if (ports.mustWait?.(delivery.record) === true) return ports.giveBack([delivery], UNOPENED_RETRY_MS)
    const first = ports.selectChannel(delivery.record)
    if (first === undefined) return conclude(delivery, noChannel(delivery))
    if (delivery.reclaims >= RECLAIMS_HELD) return conclude(delivery, stoppedTooOften(RECLAIMS_HELD))
    if (delivery.reclaims > 0 && ports.isHeldWhenUnknown(delivery.record)) return conclude(delivery, stoppedMeanwhile())
    const channel = first.next === undefined ? first : providerFor(delivery, first, isOpen)
    const isSuspect = delivery.reclaims >= RECLAIMS_ALONE
    if (isSuspect && !isOpen(channel)) return ports.giveBack([delivery], untilProbeMs(channel))
    const queue = queueOf(channel)
    if (isDue) due.add(delivery, channel.key)
    if (isSuspect) suspects.push({ delivery, queue })
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

  function rearrange(): void {
    const ready = suspects.splice(0).map(({ delivery }) => delivery)
    for (const [key, queue] of queues) {
      ready.push(...queue.drain())
      if (ports.channelOf(key) === undefined) queues.delete(key)
    }
    for (const delivery of ready) enqueue(delivery, due.remove(delivery))
    wake()
  }

  function start(delivery: Delivery, queue: ReadyQueue): void {
    const nowMs = Date.now()
    forgetDue(delivery)
    const end = endBeforeTry(delivery, nowMs)
    if (end !== undefined) return conclude(delivery, end)
    if (nowMs + TRY_LIMIT_MS > delivery.leaseUntilMs) return ports.giveBack([delivery], 0)
    const prepared = prepare(delivery, nowMs + TRY_LIMIT_MS)
    if (prepared === undefined) return
    if (prepared instanceof Promise) sendLater(delivery, queue, prepared)
    else send(delivery, queue, prepared)
  }

  /** Keeps a place for a mail that is being rendered. */
  function sendLater(delivery: Delivery, queue: ReadyQueue, prepared: Promise<Prepared>): void {
    delivery.stage = 'sending'
    sending += 1
    queue.kept += 1
    prepared.then((ready) => {
      sending -= 1
      queue.kept -= 1
      if (stopped || queue.channel.port.free <= 0) {
        alone = false
        ports.giveBack([delivery], 0)
      } else send(delivery, queue, ready)
      wake()
    })
  }

  function send(delivery: Delivery, { channel }: ReadyQueue, prepared: Prepared): void {
    if ('failure' in prepared) {
      alone = false
      return conclude(delivery, prepared)
    }
    const { mail, domain, renderMs } = prepared
    delivery.stage = 'sending'
    delivery.via = channel
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
    if (due.remove(delivery) && due.size === READY_DUE / 2) ports.onDueRoom()
  }

  function prepare(delivery: Delivery, deadlineMs: number) {
    try {
      return ports.prepareMail(delivery, deadlineMs)
    } catch (error) {
      ports.log.error({ ...logFieldsOf(delivery), reason: messageOf(error) }, 'message waits: it cannot be opened here')
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
    roomOf: (channelKey) => roomOf(channelKey, dueRoom, duePlacesOf),
    rearrange,
    accept: (claimed) => accept(claimed, true),
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
