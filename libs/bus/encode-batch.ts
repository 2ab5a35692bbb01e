/**
 * A record batch (magic 2, not compressed) written into a buffer of its exact size. kafkajs allocates an encoder of 512 bytes for each record
 * and each header and copies every byte some ten times, which cost a producer more than all else that it did.
 */
import { crc32c } from './crc32c.ts'
import { sizeOfVarint, writeVarint } from './varint.ts'

type Bytes = string | Buffer

/** A message as kafkajs was given it. */
export interface BatchMessage {
  readonly key?: Bytes | null
  readonly value: Bytes | null
  readonly headers?: Readonly<Record<string, unknown>>
  readonly timestamp?: string | number | null
}

export interface BatchHeader {
  readonly timestampMs: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly firstSequence: number
}

/** What must be known before the first byte is written. */
export interface MeasuredBatch {
  readonly messages: readonly BatchMessage[]
  /** Of each record, without its own length in front. */
  readonly bodySizes: Int32Array
  readonly sizeBytes: number
}

const BATCH_HEADER_SIZE = 61
/** The length of a batch counts what comes after it; the checksum covers what comes after that. */
const AFTER_LENGTH = 12
const AFTER_CRC = 21
const MAGIC = 2
/** Up to here a loop beats the call into the runtime. */
const SHORT = 48

/** @returns undefined where a message has a timestamp of its own, or a header that is not one string or Buffer */
export function measureBatch(messages: readonly BatchMessage[]): MeasuredBatch | undefined {
  const bodySizes = new Int32Array(messages.length)
  let sizeBytes = BATCH_HEADER_SIZE
  for (let index = 0; index < messages.length; index++) {
    const bodySize = sizeOfBody(messages[index]!, index)
    if (bodySize === undefined) return undefined
    bodySizes[index] = bodySize
    sizeBytes += sizeOfVarint(bodySize) + bodySize
  }
  return { messages, bodySizes, sizeBytes }
}

/** Fills `target` from `start` on. @returns where the batch ends, `sizeBytes` later */
export function writeBatch(
  target: Buffer,
  start: number,
  { messages, bodySizes, sizeBytes }: MeasuredBatch,
  { timestampMs, producerId, producerEpoch, firstSequence }: BatchHeader,
): number {
  let at = target.writeBigInt64BE(0n, start) // the broker gives the offsets
  at = target.writeInt32BE(sizeBytes - AFTER_LENGTH, at)
  at = target.writeInt32BE(0, at) // partition leader epoch, for the broker to fill
  at = target.writeInt8(MAGIC, at)
  at = target.writeInt16BE(0, at + 4) // attributes, behind the checksum
  at = target.writeInt32BE(messages.length - 1, at)
  at = target.writeBigInt64BE(BigInt(timestampMs), at)
  at = target.writeBigInt64BE(BigInt(timestampMs), at)
  at = target.writeBigInt64BE(producerId, at)
  at = target.writeInt16BE(producerEpoch, at)
  at = target.writeInt32BE(firstSequence, at)
  at = target.writeInt32BE(messages.length, at)
  for (let index = 0; index < messages.length; index++) {
    at = writeVarint(target, at, bodySizes[index]!)
    at = writeBody(target, at, messages[index]!, index)
  }
  target.writeUInt32BE(crc32c(target, start + AFTER_CRC, at), start + AFTER_CRC - 4)
  return at
}

function sizeOfBody({ key, value, headers = {}, timestamp }: BatchMessage, offsetDelta: number): number | undefined {
  if (timestamp !== undefined && timestamp !== null) return undefined
  const names = Object.keys(headers)
  let size = 2 + sizeOfVarint(offsetDelta) + sizeOfBytes(key) + sizeOfBytes(value) + sizeOfVarint(names.length)
  for (const name of names) {
    const given = headers[name]
    if (!isBytes(given)) return undefined
    size += sizeOfBytes(name) + sizeOfBytes(given)
  }
  return size
}

function writeBody(target: Buffer, start: number, message: BatchMessage, offsetDelta: number): number {
  const { key, value, headers = {} } = message
  const names = Object.keys(headers)
  target[start] = 0 // attributes
  target[start + 1] = 0 // timestamp, relative to the batch's
  let at = writeVarint(target, start + 2, offsetDelta)
  at = writeBytes(target, at, key)
  at = writeBytes(target, at, value)
  at = writeVarint(target, at, names.length)
  for (const name of names) {
    at = writeBytes(target, at, name)
    at = writeBytes(target, at, headers[name] as Bytes)
  }
  return at
}

function isBytes(given: unknown): given is Bytes {
  return typeof given === 'string' || Buffer.isBuffer(given)
}

function sizeOfBytes(bytes: Bytes | null | undefined): number {
  if (bytes === null || bytes === undefined) return 1
  const size = Buffer.byteLength(bytes)
  return sizeOfVarint(size) + size
}

function writeBytes(target: Buffer, start: number, bytes: Bytes | null | undefined): number {
  if (bytes === null || bytes === undefined) return writeVarint(target, start, -1)
  const size = Buffer.byteLength(bytes)
  const at = writeVarint(target, start, size)
  if (typeof bytes !== 'string') target.set(bytes, at)
  else if (size > bytes.length) target.write(bytes, at, size, 'utf8')
  else if (size > SHORT) target.write(bytes, at, size, 'latin1')
  else for (let index = 0; index < size; index++) target[at + index] = bytes.charCodeAt(index)
  return at + size
}
