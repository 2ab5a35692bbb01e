/**
 * What the module may ask of its host: the clock, random bytes, and a place for the last words of a dying Go runtime. Every other call of
 * WASI preview 1 answers that there is no such thing: no files, no environment, no arguments, no sockets.
 */
import { randomFillSync } from 'node:crypto'

const OK = 0
const BAD_FILE = 8
const NOT_SUPPORTED = 52
const LAST_WORDS_BYTES = 1_024
const REALTIME = 0
const FDSTAT_BYTES = 24
const MAX_STANDARD_FD = 2

/** The module called its exit: the Go runtime gave up, and nothing of its state may be used again. */
export class EngineExit extends Error {
  override readonly name = 'EngineExit'
}

export interface Wasi {
  readonly imports: WebAssembly.Imports
  /** What the runtime wrote before it gave up, its first KiB. It names the cause and holds addresses of memory, no data. */
  readonly lastWords: () => string
}

type Call = (...args: number[]) => number

/** @param memory asked at each call: a memory that grows is another buffer */
export function openWasi(module: WebAssembly.Module, memory: () => ArrayBuffer): Wasi {
  const words: Buffer[] = []
  let written = 0
  const calls: Record<string, Call> = {
    ...nothingToList(memory),
    clock_time_get: (clock, _precision, at) => {
      const nowMs = clock === REALTIME ? Date.now() : performance.now()
      new DataView(memory()).setBigUint64(at!, BigInt(Math.round(nowMs * 1e6)), true)
      return OK
    },
    random_get: (at, length) => {
      randomFillSync(new Uint8Array(memory(), at, length))
      return OK
    },
    fd_write: (_fd, list, count, at) => {
      const view = new DataView(memory())
      let bytes = 0
      for (let entry = list!; entry < list! + count! * 8; entry += 8) {
        const length = view.getUint32(entry + 4, true)
        const kept = Math.min(length, LAST_WORDS_BYTES - written)
        words.push(Buffer.from(memory().slice(view.getUint32(entry, true), view.getUint32(entry, true) + kept)))
        written += kept
        bytes += length
      }
      view.setUint32(at!, bytes, true)
      return OK
    },
    proc_exit: (code) => {
      throw new EngineExit(`the engine's runtime exited with ${code}`)
    },
    sched_yield: () => OK,
    poll_oneoff: (_in, _out, _count, at) => zero(memory(), at!, 4),
    fd_fdstat_get: (fd, at) => (fd! > MAX_STANDARD_FD ? BAD_FILE : zero(memory(), at!, FDSTAT_BYTES)),
    fd_fdstat_set_flags: () => OK,
    fd_prestat_get: () => BAD_FILE,
  }
  return { imports: importsOf(module, calls), lastWords: () => Buffer.concat(words).toString() }
}

/** Arguments and environment: none, in no bytes. */
function nothingToList(memory: () => ArrayBuffer): Record<string, Call> {
  const sizes: Call = (count, bytes) => zero(memory(), count!, 4) + zero(memory(), bytes!, 4)
  return { args_sizes_get: sizes, environ_sizes_get: sizes, args_get: () => OK, environ_get: () => OK }
}

function zero(buffer: ArrayBuffer, at: number, length: number): number {
  new Uint8Array(buffer, at, length).fill(0)
  return OK
}

function importsOf(module: WebAssembly.Module, calls: Record<string, Call>): WebAssembly.Imports {
  const imports: Record<string, Record<string, Call>> = {}
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {}
    imports[from][name] = calls[name] ?? (() => NOT_SUPPORTED)
  }
  return imports
}
