/** Claimed messages of one channel, in the order in which they may go. */

import type { Delivery } from './delivery.ts'
import { openQueue } from './queue.ts'
import type { SelectedChannel } from './select-channel.ts'

export interface ReadyQueue {
  readonly channel: SelectedChannel
  readonly push: (delivery: Delivery) => void
  /** The next message that has room: urgent first attempts, then retries, then notices, which leave a reserve for the urgent. */
  readonly next: () => Delivery | undefined
  readonly drain: () => Delivery[]
  /** Places that are kept for mails on their way from here. */
  kept: number
  readonly size: number
}

export function openReadyQueue(channel: SelectedChannel): ReadyQueue {
  const urgent = openQueue<Delivery>()
  const retries = openQueue<Delivery>()
  const notices = openQueue<Delivery>()
  const queue: ReadyQueue = {
    channel,
    kept: 0,
    push: (delivery) => {
      if (delivery.dispatch > 1) retries.push(delivery)
      else if (delivery.record.lane === 'urgent') urgent.push(delivery)
      else notices.push(delivery)
    },
    next: () => {
      // Asked for nobody, a channel with a shared rate would fetch what others could use.
      if (queue.size === 0) return undefined
      const room = channel.port.free - queue.kept
      if (room <= 0) return undefined
      return urgent.shift() ?? retries.shift() ?? (room > channel.reserved ? notices.shift() : undefined)
    },
    drain: () => {
      const all: Delivery[] = []
      for (const queue of [urgent, retries, notices]) {
        for (let delivery = queue.shift(); delivery !== undefined; delivery = queue.shift()) all.push(delivery)
      }
      return all
    },
    get size() {
      return urgent.size + retries.size + notices.size
    },
  }
  return queue
}
