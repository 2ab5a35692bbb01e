/** Messages that wait for a claim: urgent before notices, each lane in order of arrival. */
import { completeOrigin, type Delivery } from './delivery.ts'
import { openQueue, type Queue } from './queue.ts'

export interface Intake {
  readonly accept: (deliveries: readonly Delivery[]) => void
  /** Puts claims that could not be made back behind the others. */
  readonly giveBack: (deliveries: readonly Delivery[]) => void
  /** Takes up to `most` for a claim; what another courier owns by now, or the ledger has, is left out. */
  readonly take: (most: number) => Delivery[]
  readonly size: number
}

export function openIntake(onArrival: () => void): Intake {
  const urgent = openQueue<Delivery>()
  const notices = openQueue<Delivery>()

  function add(delivery: Delivery): void {
    delivery.stage = 'waiting'
    if (delivery.record.lane === 'urgent') urgent.push(delivery)
    else notices.push(delivery)
  }

  return {
    accept: (deliveries) => {
      dropSettled(urgent)
      dropSettled(notices)
      for (const delivery of deliveries) add(delivery)
      onArrival()
    },
    giveBack: (deliveries) => {
      for (const delivery of deliveries) add(delivery)
    },
    take: (most) => {
      const taken: Delivery[] = []
      while (taken.length < most) {
        const delivery = urgent.shift() ?? notices.shift()
        if (delivery === undefined) break
        if (delivery.stage !== 'waiting') continue
        if (delivery.origin?.stream.owns(delivery) !== true) {
          completeOrigin(delivery)
          continue
        }
        delivery.stage = 'claiming'
        taken.push(delivery)
      }
      return taken
    },
    get size() {
      return urgent.size + notices.size
    },
  }
}

/** While nothing can be claimed, everything is handed over from here, oldest first; it must not pile up. */
function dropSettled(queue: Queue<Delivery>): void {
  while (queue.peek()?.stage === 'done') queue.shift()
}
