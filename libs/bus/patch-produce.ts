/**
 * Writes produce requests in one pass into one buffer, whatever kafkajs 2.2.4 would have written, byte for byte. What is out of the ordinary
 * (compression, transactions, timestamps of one's own, repeated headers) is left to kafkajs.
 */
import { createRequire } from 'node:module'
import { type BatchMessage, type MeasuredBatch, measureBatch, writeBatch } from './encode-batch.ts'

interface PartitionData {
  readonly partition: number
  readonly messages: readonly BatchMessage[]
  readonly firstSequence?: number
}

interface TopicData {
  readonly topic: string
  readonly partitions: readonly PartitionData[]
}

interface ProduceFields {
  readonly acks: number
  readonly timeout: number
  readonly transactionalId?: string | null
  /** A number, or kafkajs' own Long. */
  readonly producerId?: unknown
  readonly producerEpoch?: number
  readonly compression?: number
  readonly topicData: readonly TopicData[]
}

interface Encoder {
  buf: Buffer
  offset: number
  /** The memory that `buf` is the end of; what is before `start` is free. */
  roomy?: { readonly whole: Buffer; readonly start: number }
  writeEncoder(value: Encoder): Encoder
}

interface Grouping {
  readonly topic: string
  readonly partitionMetadata: readonly unknown[]
  readonly messages: readonly unknown[]
  readonly partitioner: (choice: { topic: string; partitionMetadata: readonly unknown[]; message: unknown }) => number
}

interface ProduceRequest {
  readonly encode: () => Promise<Encoder>
}

interface MeasuredTopic {
  readonly name: Buffer
  readonly partitions: readonly (PartitionData & { readonly batch: MeasuredBatch })[]
}

const REQUEST = 'kafkajs/src/protocol/requests/produce/v3/request.js'
const GROUPING = 'kafkajs/src/producer/groupMessagesPerPartition.js'
/** For the request's headers; a client id is at most 32,767 bytes, and nearly always fits. */
const ROOM_SIZE = 256
/** No transactional id, acks, timeout, how many topics. */
const HEAD_SIZE = 2 + 2 + 4 + 4
const TOPIC_SIZE = 2 + 4
const PARTITION_SIZE = 4 + 4
const NO_PRODUCER = -1

const load = createRequire(import.meta.url)
const KafkaEncoder = load('kafkajs/src/protocol/encoder.js') as {
  new (initialSize: number): Encoder
  readonly prototype: Encoder
}
// Later versions of the request are made of this one, and loaded when the first is sent.
const original = load(REQUEST) as (fields: ProduceFields) => ProduceRequest
load(GROUPING)
const { writeEncoder } = KafkaEncoder.prototype

load.cache[load.resolve(REQUEST)]!.exports = (fields: ProduceFields): ProduceRequest => {
  const request = original(fields)
  return { ...request, encode: async () => encode(fields) ?? request.encode() }
}

/** Takes a finished request over, headers in front, instead of copying it once per layer. */
KafkaEncoder.prototype.writeEncoder = function (value) {
  const { roomy } = value
  // What was written behind it since has moved it elsewhere.
  const isWhole = roomy !== undefined && roomy.start + value.offset === roomy.whole.length
  if (!isWhole || roomy.start < this.offset) return writeEncoder.call(this, value)
  const start = roomy.start - this.offset
  roomy.whole.set(this.buf.subarray(0, this.offset), start)
  this.roomy = { whole: roomy.whole, start }
  this.buf = roomy.whole.subarray(start)
  this.offset += value.offset
  return this
}

/** One array per partition, where kafkajs copies the array for every message. */
load.cache[load.resolve(GROUPING)]!.exports = ({ topic, partitionMetadata, messages, partitioner }: Grouping) => {
  const groups: Record<number, unknown[]> = {}
  if (partitionMetadata.length === 0) return groups
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message })
    const group = groups[partition]
    if (group === undefined) groups[partition] = [message]
    else group.push(message)
  }
  return groups
}

function encode(fields: ProduceFields): Encoder | undefined {
  const topics = measure(fields)
  if (topics === undefined) return undefined
  const buffer = Buffer.allocUnsafe(topics.reduce((size, topic) => size + sizeOf(topic), ROOM_SIZE + HEAD_SIZE))
  const { producerId = NO_PRODUCER, producerEpoch = 0 } = fields
  const header = { timestampMs: Date.now(), producerId: BigInt(String(producerId)), producerEpoch }
  let at = buffer.writeInt16BE(-1, ROOM_SIZE)
  at = buffer.writeInt16BE(fields.acks, at)
  at = buffer.writeInt32BE(fields.timeout, at)
  at = buffer.writeInt32BE(topics.length, at)
  for (const { name, partitions } of topics) {
    at = buffer.writeInt16BE(name.length, at)
    buffer.set(name, at)
    at = buffer.writeInt32BE(partitions.length, at + name.length)
    for (const { partition, firstSequence = 0, batch } of partitions) {
      at = buffer.writeInt32BE(partition, at)
      at = buffer.writeInt32BE(batch.sizeBytes, at)
      at = writeBatch(buffer, at, batch, { ...header, firstSequence })
    }
  }
  const roomy = { whole: buffer, start: ROOM_SIZE }
  return Object.assign(new KafkaEncoder(1), { buf: buffer.subarray(ROOM_SIZE), offset: at - ROOM_SIZE, roomy })
}

/** @returns undefined for what is left to kafkajs */
function measure({ topicData, compression = 0, transactionalId = null }: ProduceFields): MeasuredTopic[] | undefined {
  if (compression !== 0 || transactionalId !== null) return undefined
  const topics = []
  for (const { topic, partitions } of topicData) {
    const measured = []
    for (const data of partitions) {
      const batch = measureBatch(data.messages)
      if (batch === undefined) return undefined
      measured.push({ ...data, batch })
    }
    topics.push({ name: Buffer.from(topic), partitions: measured })
  }
  return topics
}

function sizeOf({ name, partitions }: MeasuredTopic): number {
  const batches = partitions.reduce((size, { batch }) => size + PARTITION_SIZE + batch.sizeBytes, 0)
  return TOPIC_SIZE + name.length + batches
}
