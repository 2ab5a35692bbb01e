/**
 * A record batch (magic 2, not compressed) read in place: keys, values and headers are views of the fetched bytes. The result is what kafkajs
 * makes of the same bytes, without a decoder and a slice for each record and a new headers object for each header.
 */
import { openVarints, type Varints } from './varint.ts'

/** What kafkajs keeps of a batch; 64-bit numbers are strings. */
export interface BatchContext {
  readonly firstOffset: string
  readonly firstTimestamp: string
  readonly partitionLeaderEpoch: number
  readonly inTransaction: boolean
  readonly isControlBatch: boolean
  readonly lastOffsetDelta: number
  readonly producerId: string
  readonly producerEpoch: number
  readonly firstSequence: number
  readonly maxTimestamp: string
  readonly timestampType: number
}

export interface DecodedRecord {
  readonly magicByte: number
  readonly attributes: number
  readonly timestamp: string
  readonly offset: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** A name that occurs more than once has all its values. */
  readonly headers: Record<string, HeaderValue | HeaderValue[]>
  readonly isControlRecord: boolean
  readonly batchContext: BatchContext & { readonly magicByte: number }
}

export interface DecodedBatch extends BatchContext {
  readonly records: DecodedRecord[]
}

type HeaderValue = Buffer | null

const HEADER_SIZE = 61
const AFTER_LENGTH = 12
const CODEC_MASK = 0x07
const LOG_APPEND_TIME_MASK = 0x08
const TRANSACTIONAL_MASK = 0x10
const CONTROL_MASK = 0x20

/** @returns undefined for a batch that is cut off at the end of `bytes`, or compressed */
export function decodeBatch(bytes: Buffer, start: number): DecodedBatch | undefined {
  if (start + HEADER_SIZE > bytes.length) return undefined
  const end = start + AFTER_LENGTH + bytes.readInt32BE(start + 8)
  const attributes = bytes.readInt16BE(start + 21)
  if (end > bytes.length || (attributes & CODEC_MASK) !== 0) return undefined

  const context = contextOf(bytes, start, attributes)
  const batchContext = { ...context, magicByte: bytes.readInt8(start + 16) }
  const records: DecodedRecord[] = []
  const reader = openVarints(bytes, start + HEADER_SIZE)
  const read = openRecords(reader, batchContext)
  for (let left = bytes.readInt32BE(start + 57); left > 0; left--) records.push(read(end))
  return { ...context, records }
}

/** @returns how many bytes the batch at `start` takes */
export function sizeOfBatch(bytes: Buffer, start: number): number {
  return AFTER_LENGTH + bytes.readInt32BE(start + 8)
}

function contextOf(bytes: Buffer, start: number, attributes: number): BatchContext {
  return {
    firstOffset: String(bytes.readBigInt64BE(start)),
    firstTimestamp: String(bytes.readBigInt64BE(start + 27)),
    partitionLeaderEpoch: bytes.readInt32BE(start + 12),
    inTransaction: (attributes & TRANSACTIONAL_MASK) !== 0,
    isControlBatch: (attributes & CONTROL_MASK) !== 0,
    lastOffsetDelta: bytes.readInt32BE(start + 23),
    producerId: String(bytes.readBigInt64BE(start + 43)),
    producerEpoch: bytes.readInt16BE(start + 51),
    firstSequence: bytes.readInt32BE(start + 53),
    maxTimestamp: String(bytes.readBigInt64BE(start + 35)),
    timestampType: (attributes & LOG_APPEND_TIME_MASK) === 0 ? 0 : 1,
  }
}

/** @returns reads the next record of a batch that ends at the given position */
function openRecords(
  reader: Varints,
  batchContext: DecodedRecord['batchContext'],
): (batchEnd: number) => DecodedRecord {
  const { magicByte, isControlBatch, timestampType, maxTimestamp } = batchContext
  const sum = openSum(batchContext.firstOffset)
  const sumOfTime = openSum(batchContext.firstTimestamp)
  const readName = openNames(reader)

  return (batchEnd) => {
    const size = reader.readVarint()
    const end = reader.at + size
    if (size <= 0 || end > batchEnd) throw new Error('a record reaches beyond its batch')
    const attributes = reader.bytes.readInt8(reader.at++)
    const written = sumOfTime(reader.readVarlong())
    const record = {
      magicByte,
      attributes,
      timestamp: timestampType === 1 ? maxTimestamp : written,
      offset: sum(reader.readVarint()),
      key: readBytes(reader),
      value: readBytes(reader),
      headers: readHeaders(reader, readName),
      isControlRecord: isControlBatch,
      batchContext,
    }
    reader.at = end
    return record
  }
}

/** Adds to a 64-bit number, in plain numbers where these are exact. */
function openSum(first: string): (delta: number | bigint) => string {
  const base = Number(first)
  return (delta) => {
    const sum = base + Number(delta)
    const isExact = Number.isSafeInteger(base) && Number.isSafeInteger(sum) && typeof delta === 'number'
    return isExact ? String(sum) : String(BigInt(first) + BigInt(delta))
  }
}

function readBytes(reader: Varints): Buffer | null {
  const size = reader.readVarint()
  if (size === -1) return null
  const start = reader.at
  reader.at += size
  return reader.bytes.subarray(start, reader.at)
}

function readHeaders(reader: Varints, readName: (index: number) => string): DecodedRecord['headers'] {
  const headers: DecodedRecord['headers'] = {}
  const count = reader.readVarint()
  for (let index = 0; index < count; index++) {
    const name = readName(index)
    const value = readBytes(reader)
    if (name in headers) repeat(headers, name, value)
    else headers[name] = value
  }
  return headers
}

/** Also for the names that every object has: never a prototype. */
function repeat(headers: DecodedRecord['headers'], name: string, value: HeaderValue): void {
  const before = Object.hasOwn(headers, name) ? headers[name] : undefined
  const all = before === undefined ? value : [before, value].flat()
  Object.defineProperty(headers, name, { value: all, enumerable: true, configurable: true, writable: true })
}

/** Records of one topic mostly name the same headers in the same order: a name that comes again is compared, not decoded. */
function openNames(reader: Varints): (index: number) => string {
  const names: string[] = []
  return (index) => {
    const size = reader.readVarint()
    const start = reader.at
    reader.at += size
    const expected = names[index]
    if (expected !== undefined && isAt(reader.bytes, start, size, expected)) return expected
    const name = reader.bytes.toString('utf8', start, reader.at)
    names[index] = name
    return name
  }
}

function isAt(bytes: Buffer, start: number, size: number, ascii: string): boolean {
  if (ascii.length !== size) return false
  for (let index = 0; index < size; index++) {
    const code = bytes[start + index]!
    if (code > 0x7f || code !== ascii.charCodeAt(index)) return false
  }
  return true
}
