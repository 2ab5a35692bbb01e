import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliDecompress } from 'node:zlib'
import { capMemory } from './cap-memory.ts'

const ARTEFACT = join(import.meta.dirname, 'engine.wasm.br')

const modules = new Map<number, Promise<WebAssembly.Module>>()

/** The engine's module with room for `memoryMiB`, compiled once in this process: threads share it, code and all. */
export function loadModule(memoryMiB: number): Promise<WebAssembly.Module> {
  let module = modules.get(memoryMiB)
  if (module === undefined) {
    module = compile(memoryMiB)
    modules.set(memoryMiB, module)
  }
  return module
}

async function compile(memoryMiB: number): Promise<WebAssembly.Module> {
  const wasm = await promisify(brotliDecompress)(await readFile(ARTEFACT))
  return await WebAssembly.compile(capMemory(wasm, memoryMiB))
}
