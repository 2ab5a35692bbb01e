/** Publishes records at least once, in order per partition as long as nothing fails. */
import type { Message } from 'kafkajs'
import { CodedError, messageOf } from '#libs/errors'
import { sleep } from '#libs/lifecycle'
import type { Logger } from '#libs/telemetry'
import { measureSends } from './bus-metrics.ts'
import { type KafkaSender, openKafkaSender } from './kafka-sender.ts'
import type { OutRecord } from './records.ts'

export interface Producer {
  /**
   * Resolves when every record is acknowledged by all in-sync replicas. One send per partition is in flight; records that wait gather
   * into the next, so batches grow with the load.
   * @throws PRODUCE_REFUSED Kafka will never take some of them; `details.refused` are their indexes in `records`, the others are written
   * @throws PRODUCE_FAILED not acknowledged in time; some may be written all the same
   * @throws PRODUCER_CLOSED
   */
  readonly send: (topic: string, partition: number, records: readonly OutRecord[]) => Promise<void>
  /** Waits for what is under way, up to 10 s; what is left then is rejected. */
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

export interface ProducerOptions {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly log: Logger
  /** How long a send is tried. @default 30_000 */
  readonly deadlineMs?: number
}

/** One call of `send`. */
interface Call {
  readonly records: readonly OutRecord[]
  readonly deadlineMs: number
  readonly resolve: () => void
  readonly reject: (error: CodedError) => void
  /** Records that wait for an answer. */
  left: number
  readonly refused: number[]
  refusal: unknown
  isSettled: boolean
}

interface Item extends Message {
  readonly call: Call
  /** Index in the call's records. */
  readonly index: number
}

interface Lane {
  readonly topic: string
  readonly partition: number
  readonly waiting: Call[]
  /** Records of the first waiting call that are already taken. */
  taken: number
}

const DEADLINE_MS = 30_000
const MAX_RECORDS = 500
/** Half of Kafka's default limit of a batch. A single larger record goes alone. */
const MAX_BYTES = 512 * 1_024
const RETRY_MS = 200
/** A service has 20 s for its whole drain. */
const CLOSE_MS = 10_000

/** Resolves at once; connects in the background, so that a service starts while Kafka is away. */
export async function openProducer(options: ProducerOptions): Promise<Producer> {
  const { deadlineMs = DEADLINE_MS } = options
  const sender = openKafkaSender(options, deadlineMs)
  const lanes = new Map<string, Lane>()
  const running = new Set<Promise<void>>()
  const closing = new AbortController()
  let isClosed = false

  function enqueue(topic: string, partition: number, call: Call): void {
    const key = `${topic}/${partition}`
    const lane = lanes.get(key)
    if (lane !== undefined) {
      lane.waiting.push(call)
      return
    }
    const opened: Lane = { topic, partition, waiting: [call], taken: 0 }
    lanes.set(key, opened)
    const run = runLane(opened).finally(() => running.delete(run))
    running.add(run)
  }

  /** Lives while records wait, so that there is never a second send to its partition. */
  async function runLane(lane: Lane): Promise<void> {
    await Promise.resolve() // what is sent within one turn goes together
    for (let items = gather(lane); items.length > 0; items = gather(lane)) {
      await deliver(items, { sender, lane, closing: closing.signal })
    }
    lanes.delete(`${lane.topic}/${lane.partition}`)
  }

  return {
    send: measureSends((topic, partition, records) => {
      if (isClosed) return Promise.reject(new CodedError('PRODUCER_CLOSED', 'the producer is closed'))
      if (records.length === 0) return Promise.resolve()
      return new Promise((resolve, reject) => {
        const call = { records, deadlineMs: Date.now() + deadlineMs, resolve, reject, left: records.length }
        enqueue(topic, partition, { ...call, refused: [], refusal: undefined, isSettled: false })
      })
    }),
    [Symbol.asyncDispose]: async () => {
      if (isClosed) return
      isClosed = true
      const timer = setTimeout(() => closing.abort(), CLOSE_MS)
      await Promise.race([Promise.all(running), aborted(closing.signal)])
      clearTimeout(timer)
      closing.abort()
      await sender.close()
      await Promise.all(running)
    },
  }
}

interface DeliverPorts {
  readonly sender: KafkaSender
  readonly lane: Lane
  /** Aborted when there is no time left to try. */
  readonly closing: AbortSignal
}

/** Tries until every record is acknowledged, refused, or out of time. */
async function deliver(items: readonly Item[], ports: DeliverPorts): Promise<void> {
  const { sender, lane, closing } = ports
  let left = items
  let reason = 'no time was left'
  while (left.length > 0) {
    const timeoutMs = Math.min(...left.map(({ call }) => call.deadlineMs)) - Date.now()
    if (timeoutMs <= 0 || closing.aborted) {
      fail(left, lane, reason, closing.aborted)
      left = left.filter(({ call }) => !call.isSettled)
      continue
    }
    const outcome = await sender.send(lane.topic, lane.partition, left, timeoutMs)
    if (outcome.kind === 'acked') return acknowledge(left)
    if (outcome.kind === 'refused') return refuse(left, outcome, ports)
    reason = messageOf(outcome.error)
    await sleep(Math.min(RETRY_MS, timeoutMs), closing)
  }
}

/** Halves until the culprits stand alone. */
async function refuse(
  items: readonly Item[],
  { isOfRecord, error }: { readonly isOfRecord: boolean; readonly error: unknown },
  ports: DeliverPorts,
): Promise<void> {
  if (isOfRecord && items.length > 1) {
    const middle = items.length >> 1
    await deliver(items.slice(0, middle), ports)
    return deliver(items.slice(middle), ports)
  }
  for (const { call, index } of items) {
    call.refused.push(index)
    call.refusal = error
  }
  acknowledge(items)
}

function gather(lane: Lane): Item[] {
  const items: Item[] = []
  let sizeBytes = 0
  while (lane.waiting.length > 0 && items.length < MAX_RECORDS) {
    const call = lane.waiting[0]!
    const record = call.isSettled ? undefined : call.records[lane.taken]
    if (record === undefined) {
      lane.waiting.shift()
      lane.taken = 0
      continue
    }
    sizeBytes += record.key.length + Buffer.byteLength(record.value)
    if (sizeBytes > MAX_BYTES && items.length > 0) break
    items.push({ partition: lane.partition, ...record, call, index: lane.taken++ })
  }
  return items
}

function acknowledge(items: readonly Item[]): void {
  for (const { call } of items) {
    call.left--
    if (call.left > 0 || call.isSettled) continue
    call.isSettled = true
    if (call.refused.length === 0) call.resolve()
    else call.reject(refusalOf(call))
  }
}

function refusalOf({ refused, records, refusal }: Call): CodedError {
  const message = `Kafka refused ${refused.length} of ${records.length} records: ${messageOf(refusal)}`
  return new CodedError('PRODUCE_REFUSED', message, { cause: refusal, details: { refused } })
}

/** Fails the calls that are out of time; with `isClosed` all of them. */
function fail(items: readonly Item[], { topic, partition }: Lane, reason: string, isClosed: boolean): void {
  const now = Date.now()
  for (const { call } of items) {
    if (call.isSettled || !(isClosed || call.deadlineMs <= now)) continue
    call.isSettled = true
    const message = `records for ${topic}/${partition} were not acknowledged in time: ${reason}`
    call.reject(new CodedError(isClosed ? 'PRODUCER_CLOSED' : 'PRODUCE_FAILED', message))
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
