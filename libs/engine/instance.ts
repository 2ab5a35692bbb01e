/** One instance of the module: writes a job's inputs into its memory, calls it, reads the answer. */
import { answerOf, type EngineAnswer, type EngineJob, type EngineLimits, failure } from './answer.ts'
import { EngineExit, openWasi } from './wasi.ts'

/** An answer's text is at least this long at most, whatever the limit of output: errors are. */
const MAX_ERROR_BYTES = 1_024
const LENGTH_BYTES = 4

interface EngineExports extends Record<EngineJob['operation'], () => bigint> {
  readonly memory: WebAssembly.Memory
  readonly _initialize: () => void
  readonly limits: (memoryBytes: number, outputBytes: number) => void
  readonly alloc: (size: number) => number
}

export interface EngineInstance {
  /** Never throws for what a template does. After `dead` the instance is in no known state: drop it. */
  readonly run: (job: EngineJob) => { readonly answer: EngineAnswer; readonly dead: boolean }
}

export function openInstance(module: WebAssembly.Module, limits: EngineLimits): EngineInstance {
  const wasi = openWasi(module, () => engine.memory.buffer)
  const engine = new WebAssembly.Instance(module, wasi.imports).exports as unknown as EngineExports
  const outputBytes = limits.outputKiB * 1_024
  engine._initialize()
  engine.limits(limits.memoryMiB * 2 ** 20, outputBytes)
  return {
    run: (job) => {
      try {
        writeFrame(engine, job.inputs)
        return { answer: readAnswer(engine, engine[job.operation](), outputBytes), dead: false }
      } catch (error) {
        return { answer: causeOfDeath(error, wasi.lastWords(), limits), dead: true }
      }
    },
  }
}

/** Each input is its length in 32 bits, little endian, and its bytes in UTF-8. */
function writeFrame(engine: EngineExports, inputs: readonly string[]): void {
  const parts = inputs.map((input) => Buffer.from(input))
  const size = parts.reduce((sum, part) => sum + LENGTH_BYTES + part.length, 0)
  let at = engine.alloc(size)
  const memory = Buffer.from(engine.memory.buffer)
  for (const part of parts) {
    at = memory.writeUInt32LE(part.length, at)
    at += part.copy(memory, at)
  }
}

/** @param packed address in the upper 32 bits, length in the lower; there lie the kind, one byte, and the text */
function readAnswer(engine: EngineExports, packed: bigint, outputBytes: number): EngineAnswer {
  const place = BigInt.asUintN(64, packed)
  const length = Number(place & 0xffff_ffffn)
  // The module keeps the limit itself; this is for one that no longer does what it should.
  if (length > 1 + Math.max(outputBytes, MAX_ERROR_BYTES)) throw new RangeError('an answer beyond its limit')
  const bytes = Buffer.from(engine.memory.buffer, Number(place >> 32n), length)
  return answerOf(bytes[0]!, bytes.toString('utf8', 1))
}

/** Whatever leaves the module as an exception, a trap, a full stack or an exit, leaves it in pieces. */
function causeOfDeath(error: unknown, lastWords: string, limits: EngineLimits): EngineAnswer {
  const isDeath =
    error instanceof WebAssembly.RuntimeError || error instanceof RangeError || error instanceof EngineExit
  if (!isDeath) throw error
  if (error instanceof RangeError || /out of memory|cannot allocate|stack exceeds/i.test(lastWords))
    return failure('memory', `needs more than ${limits.memoryMiB} MiB of memory or too deep a stack`)
  return failure('runtime', 'the engine broke down over this template')
}
