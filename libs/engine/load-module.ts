import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'
import { capMemory } from './cap-memory.ts'

const ARTEFACT = join(import.meta.dirname, 'engine.wasm.br')

/** The engine's module with room for `memoryMiB`. */
export function loadModule(memoryMiB: number): WebAssembly.Module {
  return new WebAssembly.Module(capMemory(brotliDecompressSync(readFileSync(ARTEFACT)), memoryMiB))
}
