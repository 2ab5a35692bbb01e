/** Kafka's variable-length integers: zigzag, then seven bits a byte, the lowest first. */

/** @param value in [-2^31, 2^31) */
export function sizeOfVarint(value: number): number {
  const left = zigzag(value)
  if (left < 0x80) return 1
  if (left < 0x4000) return 2
  if (left < 0x20_0000) return 3
  return left < 0x1000_0000 ? 4 : 5
}

/** @returns where the next byte goes */
export function writeVarint(target: Uint8Array, start: number, value: number): number {
  let at = start
  let left = zigzag(value)
  for (; left > 0x7f; left >>>= 7) target[at++] = (left & 0x7f) | 0x80
  target[at++] = left
  return at
}

function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0
}

/** A place in `bytes` that moves on with each number read. */
export interface Varints {
  readonly bytes: Buffer
  at: number
  /** 32 bits. */
  readonly readVarint: () => number
  /** 64 bits; a number up to 28 bits. */
  readonly readVarlong: () => number | bigint
}

export function openVarints(bytes: Buffer, start: number): Varints {
  const varints: Varints = {
    bytes,
    at: start,
    readVarint: () => {
      let at = varints.at
      let byte = bytes[at++]!
      let value = byte & 0x7f
      for (let shift = 7; byte > 0x7f; shift += 7) {
        byte = bytes[at++]!
        value |= (byte & 0x7f) << shift
      }
      varints.at = at
      return (value >>> 1) ^ -(value & 1)
    },
    readVarlong: () => {
      let end = varints.at
      while (bytes[end]! > 0x7f) end++
      if (end - varints.at < 4) return varints.readVarint()
      let value = 0n
      for (let at = end; at >= varints.at; at--) value = (value << 7n) | BigInt(bytes[at]! & 0x7f)
      varints.at = end + 1
      return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n))
    },
  }
  return varints
}
