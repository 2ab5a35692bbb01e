/** Messages that wait for a claim, by channel: urgent before notices, each lane in order of arrival. */
import { completeOrigin, type Delivery } from './delivery.ts'
import { openQueue, type Queue } from './queue.ts'

export interface Intake {
  readonly accept: (deliveries: readonly Delivery[]) => void
  /** Puts claims that could not be made back behind the others. */
  readonly giveBack: (deliveries: readonly Delivery[]) => void
  /**
   * Takes up to `most` for a claim, and of each channel no more than it has room for, so that a channel that stands still holds
   * nobody up. What another courier owns by now, or the ledger has, is left out.
   */
  readonly take: (most: number, roomOf: (channelKey: string) => number) => Delivery[]
  /** Sorts what waits by channel once more: messages may have another one now. */
  readonly rearrange: () => void
  readonly size: number
}

interface Line {
  readonly urgent: Queue<Delivery>
  readonly notices: Queue<Delivery>
}

export function openIntake(keyOf: (delivery: Delivery) => string, onArrival: () => void): Intake {
  const lines = new Map<string, Line>()
  const markOlder = openNewest()

  function add(delivery: Delivery): void {
    const key = keyOf(delivery)
    let line = lines.get(key)
    if (line === undefined) {
      line = { urgent: openQueue(), notices: openQueue() }
      lines.set(key, line)
    }
    delivery.stage = 'waiting'
    if (delivery.record.lane === 'urgent') line.urgent.push(delivery)
    else line.notices.push(delivery)
  }

  return {
    accept: (deliveries) => {
      for (const [key, line] of lines) if (dropSettled(line) === 0) lines.delete(key)
      for (const delivery of deliveries) {
        markOlder(delivery)
        add(delivery)
      }
      onArrival()
    },
    giveBack: (deliveries) => {
      for (const delivery of deliveries) add(delivery)
    },
    take: (most, roomOf) => {
      const taken: Delivery[] = []
      const rooms = new Map<Line, number>()
      for (const [key, line] of lines) rooms.set(line, roomOf(key))
      for (const lane of ['urgent', 'notices'] as const) {
        for (const [line, room] of rooms) {
          const count = takeFrom(line[lane], Math.min(room, most - taken.length), taken)
          rooms.set(line, room - count)
        }
      }
      return taken
    },
    rearrange: () => {
      const before = [...lines.values()]
      lines.clear()
      for (const { urgent, notices } of before)
        for (const queue of [urgent, notices])
          for (let delivery = queue.shift(); delivery !== undefined; delivery = queue.shift())
            if (delivery.stage === 'waiting') add(delivery)
    },
    get size() {
      let size = 0
      for (const { urgent, notices } of lines.values()) size += urgent.size + notices.size
      return size
    },
  }
}

/** @returns how many were taken. */
function takeFrom(queue: Queue<Delivery>, most: number, taken: Delivery[]): number {
  let count = 0
  while (count < most) {
    const delivery = queue.shift()
    if (delivery === undefined) break
    if (delivery.stage !== 'waiting') continue
    if (delivery.origin?.stream.owns(delivery) !== true) {
      completeOrigin(delivery)
      continue
    }
    delivery.stage = 'claiming'
    taken.push(delivery)
    count += 1
  }
  return count
}

/** While nothing can be claimed, everything is handed over from here, oldest first; it must not pile up. @returns what is left. */
function dropSettled({ urgent, notices }: Line): number {
  for (const queue of [urgent, notices]) while (queue.peek()?.stage === 'done') queue.shift()
  return urgent.size + notices.size
}

/** More than can be open at once in a window of the usual size; what is forgotten is found in the ledger. */
const NEWEST_KEPT = 4_000

/** Marks what a newer message of the same key makes useless, as far as both are here. */
function openNewest(): (delivery: Delivery) => void {
  const newest = new Map<string, Delivery>()
  return (delivery) => {
    const { supersedeKey, record } = delivery
    if (supersedeKey === null) return
    const other = newest.get(supersedeKey)
    if (other !== undefined && other.record.id > record.id) delivery.superseded = true
    else {
      if (other !== undefined && other.record.id !== record.id) other.superseded = true
      if (newest.size >= NEWEST_KEPT) newest.clear()
      newest.set(supersedeKey, delivery)
    }
  }
}
