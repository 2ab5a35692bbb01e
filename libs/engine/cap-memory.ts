const PAGES_PER_MIB = 16
const HEADER_BYTES = 8
const MEMORY_SECTION = 5

/**
 * Writes a maximum into the memory section of a WASM module, since Go sets none and V8's resource limits do not count this memory.
 * Beyond it the module's own allocator fails.
 */
export function capMemory(wasm: Uint8Array, memoryMiB: number): Uint8Array<ArrayBuffer> {
  for (let at = HEADER_BYTES; at < wasm.length; ) {
    const length = readNumber(wasm, at + 1)
    const end = length.end + length.value
    if (wasm[at] === MEMORY_SECTION) {
      const section = memorySection(wasm, length.end, memoryMiB * PAGES_PER_MIB)
      return Buffer.concat([wasm.subarray(0, at), section, wasm.subarray(end)])
    }
    at = end
  }
  throw new Error('the module has no memory section')
}

/** One memory: count, flag 1 (a maximum follows), least pages, most pages. */
function memorySection(wasm: Uint8Array, at: number, maxPages: number): Uint8Array {
  const least = readNumber(wasm, at + 2).value
  const body = [1, 1, ...encodeNumber(least), ...encodeNumber(Math.max(least, maxPages))]
  return Uint8Array.from([MEMORY_SECTION, ...encodeNumber(body.length), ...body])
}

/** Unsigned LEB128. */
function readNumber(bytes: Uint8Array, start: number): { value: number; end: number } {
  let value = 0
  for (let at = start, shift = 0; ; at += 1, shift += 7) {
    const byte = bytes[at]
    if (byte === undefined) throw new Error('the module ends within a number')
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return { value: value >>> 0, end: at + 1 }
  }
}

function encodeNumber(value: number): number[] {
  const low = value & 0x7f
  return value < 0x80 ? [low] : [low | 0x80, ...encodeNumber(value >>> 7)]
}
