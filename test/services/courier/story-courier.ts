/**
 * One courier whose every effect (on the ledger, on Kafka, at the mail server) waits for the test, which lets it happen, lets it fail,
 * or kills the courier before it, or after it and before the courier learns of it.
 */
import { openWatermark } from '#libs/bus'
import type { Outcome } from '#libs/delivery'
import { renderMessage } from '#libs/templates'
import { openConcluder } from '../../../services/courier/conclude-tries.ts'
import { type Delivery, payloadOf } from '../../../services/courier/delivery.ts'
import { openDispatcher } from '../../../services/courier/dispatch-messages.ts'
import { handOver } from '../../../services/courier/hand-over.ts'
import { openIntake } from '../../../services/courier/intake.ts'
import type { LeaseLedger } from '../../../services/courier/lease-ledger.ts'
import { openPrepareMail } from '../../../services/courier/prepare-mail.ts'
import { openStatusPublisher } from '../../../services/courier/publish-status.ts'
import type { RecordStream } from '../../../services/courier/record-stream.ts'
import { retryDue } from '../../../services/courier/retry-due.ts'
import { openBuildEvent } from '../../../services/courier/status-of-try.ts'
import { attemptOf, failedAttempt, type MemoryProducer, sealer, selected, silent } from './deliveries.ts'

const AWAY = Object.assign(new Error('Connection terminated unexpectedly'), { code: '57P01' })
/** Longer than any test: only a courier's death ends its lease. */
export const STORY_LEASE_MS = 86_400_000
const POLICY = { maxAttempts: 6, scheduleMs: [5_000], onUnknown: 'resend' as const }
const METRICS = {
  concluded: () => undefined,
  lateFinish: () => undefined,
  reclaimed: () => undefined,
  setAside: () => undefined,
}

export type Fault = 'none' | 'answer lost' | 'refused' | 'killed before' | 'killed after'

/** A mail whose final dot left. */
export interface Dot {
  readonly id: string
  readonly dispatch: number
  readonly outcome: Outcome
  readonly courier: StoryCourier
}

export interface StoryPorts {
  readonly ledger: LeaseLedger
  readonly producer: MemoryProducer
  readonly onDot: (dot: Dot) => void
  readonly commit: (courier: StoryCourier, offset: number) => void
}

interface Gate {
  readonly isMail: boolean
  readonly perform: (fault: Fault, outcome: Outcome) => Promise<void>
}

export interface StoryCourier {
  readonly owner: string
  isDead: boolean
  readonly gates: Gate[]
  /** Lets one effect that waits happen; with a fault it does not end well. */
  readonly step: (pick: number, fault: Fault, outcome: Outcome) => Promise<void>
  readonly kill: () => void
  /** Gives the partition to this courier from `committed` on. */
  readonly assign: (committed: number) => void
  readonly revoke: () => void
  readonly receive: (make: (stream: RecordStream, epoch: number) => Delivery) => void
  readonly handOver: () => Promise<unknown>
  readonly retryDue: () => Promise<unknown>
  readonly sweep: () => Promise<void>
}

export function openStoryCourier(owner: string, ports: StoryPorts): StoryCourier {
  const gates: Gate[] = []
  let epoch = 0
  let watermark = openWatermark(0)
  let isOwner = false

  const open = new Set<Delivery>()
  const stream: RecordStream = {
    open,
    finish: (delivery) => {
      const { origin } = delivery
      if (origin === undefined) return
      delivery.origin = undefined
      open.delete(delivery)
      const committable = isOwner && origin.epoch === epoch ? watermark.end(origin.offset) : undefined
      if (committable !== undefined && !courier.isDead) ports.commit(courier, committable)
    },
    owns: ({ origin }) => isOwner && origin?.epoch === epoch,
    isAssigned: () => isOwner,
    stop: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }

  function gate<T>(isMail: boolean, effect: (outcome: Outcome) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (courier.isDead) return
      gates.push({
        isMail,
        perform: async (fault, outcome) => {
          if (fault === 'refused') return reject(AWAY)
          const value = await effect(outcome)
          if (fault === 'answer lost') reject(AWAY)
          else if (!courier.isDead) resolve(value)
        },
      })
    })
  }

  const ledger = gatedLedger(ports.ledger, (effect) => gate(false, effect))
  const producer = {
    send: (topic: string, partition: number, records: Parameters<MemoryProducer['send']>[2]) =>
      gate(false, () => ports.producer.send(topic, partition, records)),
  }
  const publisher = openStatusPublisher({ producer, ledger, topic: 'status', partitions: 2, log: silent })
  const concluder = openConcluder({
    ledger,
    publisher,
    policyOf: () => POLICY,
    buildEvent: openBuildEvent({ sealer, worker: owner, maxAttemptsOf: () => 6, providerOf: () => undefined }),
    metrics: METRICS,
    tracing: { spansOf: () => undefined },
    log: silent,
  })
  const intake = openIntake(
    () => 'email',
    () => dispatcher.wake(),
  )
  const dispatcher = openDispatcher({
    ledger,
    publisher,
    intake,
    leaseMs: STORY_LEASE_MS,
    log: silent,
    isHeldWhenUnknown: () => false,
    selectChannel: () => channel,
    channelOf: () => channel,
    prepareMail: openPrepareMail(sealer, () => ({ render: renderMessage })),
    conclude: concluder.conclude,
    onDueRoom: () => undefined,
    giveBack: (deliveries, delayMs) => {
      const items = deliveries.map((delivery) => ({
        id: delivery.record.id,
        dispatch: delivery.dispatch,
        payload: payloadOf(delivery),
      }))
      ledger.release(items, delayMs).then(
        () => deliveries.forEach((delivery) => void stream.finish(delivery)),
        () => undefined,
      )
    },
  })
  let busy = 0
  const channel = selected({
    get free() {
      return 2 - busy
    },
    send: ({ messageId, dispatch }, done) => {
      busy += 1
      gate(true, async (outcome) => {
        if (outcome !== 'failed') ports.onDot({ id: messageId, dispatch, outcome, courier })
        return outcome
      }).then((outcome) => {
        busy -= 1
        done(attemptEnding(outcome))
      })
    },
    onFree: () => undefined,
    close: async () => undefined,
  })

  const courier: StoryCourier = {
    owner,
    isDead: false,
    gates,
    step: async (pick, fault, outcome) => {
      const [chosen] = gates.splice(pick % Math.max(1, gates.length), 1)
      if (chosen === undefined) return
      // A mail's answer that is lost is an outcome of its own.
      const isKilled = fault === 'killed before' || fault === 'killed after'
      if (isKilled) courier.kill()
      if (fault !== 'killed before') await chosen.perform(chosen.isMail && !isKilled ? 'none' : fault, outcome)
    },
    kill: () => {
      courier.isDead = true
      isOwner = false
      gates.length = 0
    },
    assign: (committed) => {
      epoch += 1
      isOwner = true
      watermark = openWatermark(committed)
    },
    revoke: () => {
      isOwner = false
    },
    receive: (make) => {
      const delivery = make(stream, epoch)
      watermark.begin(delivery.origin?.offset ?? 0)
      open.add(delivery)
      intake.accept([delivery])
    },
    handOver: () =>
      handOver(
        [...open].filter(({ stage }) => stage !== 'claiming' && stage !== 'done'),
        { ledger, publisher, log: silent },
      ),
    retryDue: () =>
      retryDue({ ledger, dispatcher, leaseMs: STORY_LEASE_MS, log: silent, shares: () => ({ own: [], others: [] }) }),
    sweep: async () => {
      for (const { event, outboxId } of await ledger.leftoverEvents(100))
        publisher.republish(event, undefined, outboxId)
    },
  }
  return courier
}

type Gated = <T>(effect: () => Promise<T>) => Promise<T>

function gatedLedger(ledger: LeaseLedger, gated: Gated): LeaseLedger {
  return {
    ...ledger,
    claim: (...args) => gated(() => ledger.claim(...args)),
    lookUp: (...args) => gated(() => ledger.lookUp(...args)),
    handOver: (...args) => gated(() => ledger.handOver(...args)),
    claimDue: (...args) => gated(() => ledger.claimDue(...args)),
    conclude: (...args) => gated(() => ledger.conclude(...args)),
    release: (...args) => gated(() => ledger.release(...args)),
    forgetEvents: (...args) => gated(() => ledger.forgetEvents(...args)),
    leftoverEvents: (...args) => gated(() => ledger.leftoverEvents(...args)),
  }
}

function attemptEnding(outcome: Outcome) {
  if (outcome === 'accepted') return attemptOf()
  return failedAttempt({ class: outcome === 'unknown' ? 'ambiguous' : 'greylisted', message: 'no' })
}
