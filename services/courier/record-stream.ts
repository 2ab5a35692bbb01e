/**
 * Records of one lane in, contiguous watermark out. The handler only takes notes: records become deliveries, an offset stays
 * open until its message is concluded or the ledger owns it, and only what is contiguous is committed.
 */
import { type Consumer, type InRecord, openConsumer, openWatermark, type Watermark } from '#libs/bus'
import { messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import { decodeMessage } from '#libs/messages'
import { type Telemetry, traceFields } from '#libs/telemetry'
import { traceparentOrNew } from './courier-tracing.ts'
import type { DeadLetter, Source } from './dead-letter.ts'
import { type Delivery, newDelivery } from './delivery.ts'

export interface RecordStream {
  /** Open deliveries, oldest first. */
  readonly open: ReadonlySet<Delivery>
  /** Completes the delivery's offset and frees its place in the window. */
  readonly finish: (delivery: Delivery) => void
  /** Whether this courier still owns the partition that the delivery came from. */
  readonly owns: (delivery: Delivery) => boolean
  readonly isAssigned: () => boolean
  /** Takes no more records. */
  readonly stop: () => void
  /** Commits what is complete and leaves the group. */
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

export interface RecordStreamOptions {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly groupId: string
  readonly clientId: string
  /** Most open deliveries; further records wait in Kafka. */
  readonly window: number
  readonly telemetry: Pick<Telemetry, 'log'>
  readonly accept: (deliveries: readonly Delivery[]) => void
  /** Keeps what cannot be decoded. */
  readonly deadLetter: DeadLetter
  readonly onSetAside: () => void
  readonly onFatal: (error: unknown) => void
}

interface Tracked {
  readonly epoch: number
  readonly watermark: Watermark
}

const RETRY_MS = 1_000

export async function openRecordStream(options: RecordStreamOptions): Promise<RecordStream> {
  const { topic, telemetry, window } = options
  const open = new Set<Delivery>()
  const tracked = new Map<number, Tracked>()
  let waiting: (() => void)[] = []
  let assigned = false
  const stopping = new AbortController()

  function wake(): void {
    const resumed = waiting
    waiting = []
    for (const resume of resumed) resume()
  }

  function end(partition: number, offset: number, epoch: number): void {
    const current = tracked.get(partition)
    if (current?.epoch !== epoch) return
    const committable = current.watermark.end(offset)
    if (committable !== undefined) consumer.commit(topic, partition, committable)
  }

  const stream: RecordStream = {
    open,
    finish: (delivery) => {
      const origin = delivery.origin
      if (origin === undefined) return
      delivery.origin = undefined
      open.delete(delivery)
      end(origin.partition, origin.offset, origin.epoch)
      if (waiting.length > 0 && open.size <= window / 2) wake()
    },
    owns: ({ origin }) => origin !== undefined && tracked.get(origin.partition)?.epoch === origin.epoch,
    isAssigned: () => assigned,
    stop: () => {
      stopping.abort()
      wake()
    },
    [Symbol.asyncDispose]: () => {
      stream.stop()
      return consumer[Symbol.asyncDispose]()
    },
  }

  async function onRecords(partition: number, records: readonly InRecord[], epoch: number): Promise<void> {
    const current = tracked.get(partition)
    if (stopping.signal.aborted || current?.epoch !== epoch) return
    const deliveries: Delivery[] = []
    for (const record of records) {
      current.watermark.begin(record.offset)
      try {
        const delivery = deliveryOf(record, stream, partition, epoch)
        open.add(delivery)
        deliveries.push(delivery)
      } catch (error) {
        setAside(record, { topic, partition }, epoch, messageOf(error)).catch(options.onFatal)
      }
    }
    if (deliveries.length > 0) options.accept(deliveries)
    if (open.size >= window && !stopping.signal.aborted) await new Promise<void>((resolve) => waiting.push(resolve))
  }

  /** The offset stays open until the record's bytes are durable elsewhere; given up with the partition, which redelivers it. */
  async function setAside(record: InRecord, source: Source, epoch: number, reason: string): Promise<void> {
    const place = { topic, partition: source.partition, offset: record.offset }
    const fields = { ...place, ...traceFields(record.headers.traceparent?.toString()), reason }
    while (!stopping.signal.aborted && tracked.get(source.partition)?.epoch === epoch) {
      try {
        await options.deadLetter(record, source, reason)
        options.onSetAside()
        telemetry.log.error(fields, 'record set aside: undecodable')
        return end(source.partition, record.offset, epoch)
      } catch (error) {
        telemetry.log.warn({ ...fields, cause: messageOf(error) }, 'undecodable record not set aside, trying again')
        await sleep(RETRY_MS, stopping.signal)
      }
    }
  }

  const consumer: Consumer = await openConsumer({
    brokers: options.brokers,
    groupId: options.groupId,
    clientId: options.clientId,
    topics: [topic],
    log: telemetry.log,
    onFatal: options.onFatal,
    onAssigned: (partitions, { epoch }) => {
      tracked.clear()
      for (const { partition, committed, earliest } of partitions) {
        tracked.set(partition, { epoch, watermark: openWatermark(Math.max(committed, earliest)) })
      }
      assigned = true
    },
    onRevoked: () => tracked.clear(),
    onRecords: (_topic, partition, records, { epoch }) => onRecords(partition, records, epoch),
  })
  return stream
}

function deliveryOf(record: InRecord, stream: RecordStream, partition: number, epoch: number): Delivery {
  const payload = {
    traceparent: traceparentOrNew(record.headers.traceparent?.toString()),
    tracestate: tracestateOf(record.headers.tracestate?.toString()),
    recordJson: record.value?.toString() ?? '',
  }
  const origin = { stream, partition, offset: record.offset, epoch }
  return newDelivery(decodeMessage(payload.recordJson), payload, origin, record.key?.toString('latin1'))
}

/** One line of printable ASCII, as the standard has it: anything else breaks the ledger's text. */
function tracestateOf(text: string | undefined): string {
  return text !== undefined && /^[\x20-\x7e\t]{0,512}$/.test(text) ? text : ''
}
