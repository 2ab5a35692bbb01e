/** The checksum of Kafka's record batches: CRC-32C, RFC 3720 B.4. Node's zlib has only the other CRC-32. */

const POLYNOMIAL = 0x82f63b78
/** Sixteen bytes are taken at a time: table k says what a byte does to the checksum when k more bytes come after it. */
const SLICES = 16
const T = openTables()

/** @returns the checksum of `bytes` from `start` up to, not including, `end`; in [0, 2^32) */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  if (end - start < 2 * SLICES) return ~addBytes(-1, bytes, start, end) >>> 0
  const aligned = start + (-(bytes.byteOffset + start) & 3)
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + aligned, ((end - aligned) >> 4) << 2)
  const crc = addWords(addBytes(-1, bytes, start, aligned), words)
  return ~addBytes(crc, bytes, aligned + words.byteLength, end) >>> 0
}

function addBytes(before: number, bytes: Uint8Array, start: number, end: number): number {
  let crc = before
  for (let at = start; at < end; at++) crc = T[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return crc
}

/** Words of a little-endian machine, which every platform of Node 24 that is supported here is. */
function addWords(before: number, words: Int32Array): number {
  let crc = before
  for (let at = 0; at < words.length; at += 4) {
    const a = crc ^ words[at]!
    const b = words[at + 1]!
    const c = words[at + 2]!
    const d = words[at + 3]!
    crc =
      T[0xf00 | (a & 0xff)]! ^
      T[0xe00 | ((a >>> 8) & 0xff)]! ^
      T[0xd00 | ((a >>> 16) & 0xff)]! ^
      T[0xc00 | (a >>> 24)]! ^
      T[0xb00 | (b & 0xff)]! ^
      T[0xa00 | ((b >>> 8) & 0xff)]! ^
      T[0x900 | ((b >>> 16) & 0xff)]! ^
      T[0x800 | (b >>> 24)]! ^
      T[0x700 | (c & 0xff)]! ^
      T[0x600 | ((c >>> 8) & 0xff)]! ^
      T[0x500 | ((c >>> 16) & 0xff)]! ^
      T[0x400 | (c >>> 24)]! ^
      T[0x300 | (d & 0xff)]! ^
      T[0x200 | ((d >>> 8) & 0xff)]! ^
      T[0x100 | ((d >>> 16) & 0xff)]! ^
      T[d >>> 24]!
  }
  return crc
}

function openTables(): Int32Array {
  const tables = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
    tables[byte] = crc
  }
  for (let at = 256; at < tables.length; at++) {
    const before = tables[at - 256]!
    tables[at] = (before >>> 8) ^ tables[before & 0xff]!
  }
  return tables
}
