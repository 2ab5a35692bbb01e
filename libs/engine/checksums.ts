/** `engine.sha256`: what the committed artefact was built from, in the form of sha256sum (`sha256sum -c engine.sha256` checks it). */
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliDecompressSync } from 'node:zlib'

export const ENGINE_FOLDER = import.meta.dirname
export const ARTEFACT = 'engine.wasm.br'

/** One line for each Go source and for the artefact; the last, a comment to sha256sum, is of the module before compression. */
export function computeChecksums(): string {
  const artefact = readFileSync(join(ENGINE_FOLDER, ARTEFACT))
  const lines = [...goSources(), ARTEFACT].map((path) => `${sha256(readFileSync(join(ENGINE_FOLDER, path)))}  ${path}`)
  return `${[...lines, `# ${sha256(brotliDecompressSync(artefact))}  engine.wasm`].join('\n')}\n`
}

function goSources(): string[] {
  return globSync('go/*.{go,mod,sum}', { cwd: ENGINE_FOLDER }).sort()
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
