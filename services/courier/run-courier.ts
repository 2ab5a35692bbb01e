/** Wires the stages of the courier together and runs them until it is told to stop. */
import type { Producer } from '#libs/bus'
import type { Database } from '#libs/database'
import { messageOf } from '#libs/errors'
import { openWakeablePause, poll, sleep } from '#libs/lifecycle'
import type { MessageRecord, Sealer, Topics } from '#libs/messages'
import { loadRevisions, REVISIONS_CHANNEL, type SeenRevisions } from '#libs/projects'
import type { Telemetry } from '#libs/telemetry'
import { observeChannels } from './channel-metrics.ts'
import { replaceReports } from './channel-repository.ts'
import { openConcluder } from './conclude-tries.ts'
import type { CourierConfig } from './config.ts'
import { openCourierMetrics } from './courier-metrics.ts'
import { openCourierTracing } from './courier-tracing.ts'
import { openDeadLetter } from './dead-letter.ts'
import { type Delivery, payloadOf } from './delivery.ts'
import { type Dispatcher, openDispatcher, TRY_LIMIT_MS } from './dispatch-messages.ts'
import { handOverCrowd, handOverOld } from './hand-over.ts'
import { openIntake } from './intake.ts'
import { openLeaseLedger } from './lease-ledger.ts'
import { observeLedger } from './ledger-backlog.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { openPrepareMail } from './prepare-mail.ts'
import type { ProjectChannels } from './project-channels.ts'
import { openStatusPublisher } from './publish-status.ts'
import { openRecordStream, type RecordStream } from './record-stream.ts'
import { openChannelReporter } from './report-channels.ts'
import { concludeExpired, retryDue } from './retry-due.ts'
import { openBuildEvent } from './status-of-try.ts'

export interface CourierParts {
  readonly config: CourierConfig
  readonly owner: string
  readonly telemetry: Telemetry
  readonly database: Database
  /** One session under the owner's name: while it lives, the owner lives. */
  readonly session: Database
  readonly producer: Producer
  readonly sealer: Sealer
  readonly topics: Topics
  readonly channels: ProjectChannels
  readonly stopping: AbortSignal
}

/** A try plus the time to conclude it; nobody else may send before it is over. */
const LEASE_MS = TRY_LIMIT_MS + 30_000
const HEARTBEAT_MS = 2_000
const DUE_POLL_MS = 250
const EXPIRED_POLL_MS = 1_000
/** Of the window, while others wait. */
const CHANNEL_SHARE = 1 / 4
const HAND_OVER_POLL_MS = 500
/** What an operator cancelled is told by the next sweep. */
const SWEEP_MS = 1_000
/** A change holds from the next attempt on: looked for at each notification, and this often in case one was missed. */
const REVISIONS_MS = 1_000
const MAINTAIN_MS = 3_600_000
const MEASURE_MS = 15_000
const LEDGER_RETENTION = '14 days'
const DRAIN_MS = 14_000

export async function runCourier(parts: CourierParts): Promise<void> {
  const { config, owner, telemetry, database, session, producer, topics, channels, stopping } = parts
  const { log } = telemetry
  const warn = (what: string) => (error: unknown) => log.warn({ reason: messageOf(error) }, what)
  const ledger = openLeaseLedger(database, owner, LEASE_MS)
  const heart = openLeaseLedger(session, owner, LEASE_MS)
  await heart.heartbeat()
  // Before the first row: a week whose rows are in the default partition already cannot be made any more.
  await ledger.maintain(LEDGER_RETENTION).catch(warn('ledger partitions not maintained'))

  const { policyOf } = channels
  const isHeldWhenUnknown = (record: MessageRecord) => policyOf(record).onUnknown === 'hold'

  const streams: RecordStream[] = []
  const metrics = openCourierMetrics(telemetry.meter, {
    open: () => streams.reduce((sum, stream) => sum + stream.open.size, 0),
    sending: () => dispatcher.sending(),
    oldestMs: () => oldestOf(streams),
  })
  observeChannels(telemetry.meter, channels.all)
  const measureLedger = observeLedger(telemetry.meter, database)
  const tracing = openCourierTracing({
    tracer: telemetry.tracer,
    topicOf: ({ record }) => topicOf(record.lane, topics),
    groupOf: ({ record }) => groupOf(config, `courier.${record.lane}`),
    statusTopic: topics.status,
  })
  const publisher = openStatusPublisher({
    producer,
    ledger,
    topic: topics.status,
    partitions: config.kafka.partitions,
    metrics,
    tracing,
    log,
  })
  const concluder = openConcluder({
    ledger,
    publisher,
    policyOf,
    buildEvent: openBuildEvent({
      sealer: parts.sealer,
      worker: config.instance,
      maxAttemptsOf: (record) => policyOf(record).maxAttempts,
      providerOf: ({ via, record }) => (via ?? channels.select(record))?.provider,
    }),
    metrics,
    tracing,
    log,
  })
  const dueRoom = openWakeablePause()
  const keyOf = ({ record }: Delivery) => channels.select(record)?.key ?? ''
  const intake = openIntake(keyOf, () => dispatcher.wake())
  const dispatcher: Dispatcher = openDispatcher({
    ledger,
    publisher,
    intake,
    leaseMs: LEASE_MS,
    log,
    isHeldWhenUnknown,
    selectChannel: channels.select,
    channelOf: channels.ofKey,
    mustWait: channels.mustWait,
    prepareMail: openPrepareMail(parts.sealer, channels.templatesOf, channels.senderOf),
    conclude: concluder.conclude,
    giveBack,
    onDueRoom: dueRoom.wake,
    onDuplicate: metrics.suppressed,
  })
  channels.onFree(dispatcher.wake)
  channels.onChange(() => {
    intake.rearrange()
    dispatcher.rearrange()
  })

  const seen: SeenRevisions = new Map()
  const { noteUnreadable: onUnreadable } = channels
  const loading = { sealer: parts.sealer, seen, log, mailboxPort: config.mailboxPort, onUnreadable }
  const followRevisions = oneAtATime(async () => channels.follow(await loadRevisions(database, loading)))
  // Before the first message: it must not leave through the operator's channel while its project's own is not known.
  await followRevisions()

  const givingBack = new Set<Promise<void>>()
  function giveBack(deliveries: readonly Delivery[], delayMs: number): void {
    const items = deliveries.map((delivery) => ({
      id: delivery.record.id,
      dispatch: delivery.dispatch,
      payload: payloadOf(delivery),
    }))
    const given = ledger
      .release(items, delayMs)
      .then(() => {
        tracing.handedOver(deliveries.filter(({ handedOver }) => !handedOver))
        for (const delivery of deliveries) delivery.origin?.stream.finish(delivery)
      })
      // The lease ends by itself: then whoever comes first takes them.
      .catch((error) => log.warn({ reason: messageOf(error), messages: items.length }, 'claims not given back'))
      .finally(() => givingBack.delete(given))
    givingBack.add(given)
  }

  const deadLetter = openDeadLetter({ producer, topic: topics.deadLetter, partitions: config.kafka.partitions })
  for (const lane of ['urgent', 'notice'] as const) {
    streams.push(
      await openRecordStream({
        brokers: config.kafka.brokers,
        topic: topicOf(lane, topics),
        groupId: groupOf(config, `courier.${lane}`),
        clientId: config.instance,
        window: config.window,
        telemetry,
        accept: intake.accept,
        deadLetter,
        onSetAside: metrics.setAside,
        onFatal: (error) => {
          throw error
        },
      }),
    )
  }
  telemetry.setReady(() => ({
    kafka: { ok: streams.every((stream) => stream.isAssigned()) },
  }))

  const reportChannels = openChannelReporter({
    blocked: channels.blocked,
    replaceReports: (reports) => replaceReports(database, owner, reports),
    now: Date.now,
  })
  const unread = warn('configurations of projects not read')
  await using _news = await database.listen(REVISIONS_CHANNEL, () => void followRevisions().catch(unread))
  // What is blocked gets nothing but its probe; the rest of the room is shared.
  const shares = () => channels.shares(dispatcher.roomOf)
  const duePorts = { ledger, dispatcher, leaseMs: LEASE_MS, log, shares }
  await Promise.all([
    every(heartbeat, HEARTBEAT_MS, 'heartbeat not written'),
    every(reportChannels, HEARTBEAT_MS, 'blocked channels not reported'),
    every(handOverAll, HAND_OVER_POLL_MS, 'messages not handed over'),
    every(sweepEvents, SWEEP_MS, 'leftover events not swept'),
    every(followRevisions, REVISIONS_MS, 'configurations of projects not read'),
    every(measureLedger, MEASURE_MS, 'backlog of the ledger not measured'),
    every(() => ledger.maintain(LEDGER_RETENTION), MAINTAIN_MS, 'ledger partitions not maintained'),
    poll(claimDue, stopping, warn('due messages not claimed'), DUE_POLL_MS),
    poll(() => concludeExpired(duePorts), stopping, warn('expired messages not concluded'), EXPIRED_POLL_MS),
  ])
  await drain()

  /** Repeats until stopped; a failure waits for the next turn. */
  async function every(task: () => Promise<unknown>, intervalMs: number, failure: string): Promise<void> {
    while (!stopping.aborted) {
      await task().catch(warn(failure))
      await sleep(intervalMs, stopping)
    }
  }

  async function heartbeat(): Promise<void> {
    await heart.heartbeat()
    const released = await heart.releaseDead()
    if (released > 0) {
      metrics.reclaimed(released)
      log.warn({ messages: released }, 'took over messages of a stopped courier')
    }
  }

  /** As fast as what was claimed is sent: a backlog of due messages waits for room, not for the next look. */
  async function claimDue(): Promise<number> {
    const claimed = await retryDue(duePorts)
    if (dispatcher.room() > 0) return claimed
    await dueRoom.pause(DUE_POLL_MS)
    return 1
  }

  async function handOverAll(): Promise<void> {
    for (const stream of streams) {
      await handOverOld(stream, { ledger, publisher, tracing, log }, Date.now())
      await handOverCrowd(stream, { ledger, publisher, tracing, log }, { most: config.window * CHANNEL_SHARE, keyOf })
    }
  }

  async function sweepEvents(): Promise<void> {
    for (const { event, outboxId } of await ledger.leftoverEvents(500)) publisher.republish(event, undefined, outboxId)
  }

  /** Stops taking work, ends what is being sent, gives back the rest, publishes, commits, leaves. */
  async function drain(): Promise<void> {
    const deadline = Date.now() + DRAIN_MS
    for (const stream of streams) stream.stop()
    dispatcher.stop()
    while (dispatcher.sending() + givingBack.size > 0 && Date.now() < deadline) await sleep(20)
    await concluder.drain(deadline - Date.now())
    await publisher.drain(deadline - Date.now())
    await Promise.all(streams.map((stream) => stream[Symbol.asyncDispose]()))
    await channels.close()
    // One that leaves something behind stays known, so that what it held is released and need not wait for the lease.
    if (dispatcher.sending() + concluder.pending() === 0) await heart.leave()
  }
}

/** Open deliveries stand in the order in which they came. */
function oldestOf(streams: readonly RecordStream[]): number | undefined {
  const oldest = streams.flatMap(({ open }) => open.values().next().value?.record.created_at ?? [])
  return oldest.length === 0 ? undefined : Math.min(...oldest.map((at) => Date.parse(at)))
}

function topicOf(lane: 'urgent' | 'notice', topics: Topics): string {
  return lane === 'urgent' ? topics.messages : topics.notices
}

function groupOf({ kafka }: CourierConfig, name: string): string {
  return `${kafka.topic_prefix}postrider.${name}`
}
