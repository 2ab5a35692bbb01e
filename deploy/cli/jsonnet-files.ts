import { existsSync, globSync, readFileSync } from 'node:fs'
import { type Engine, openEngine } from '#libs/engine'

export interface JsonnetFile {
  readonly path: string
  readonly source: string
}

/** Each pattern that is no file itself stands for the files that fit it. @throws Error for one that nothing fits */
export function readJsonnetFiles(patterns: readonly string[]): JsonnetFile[] {
  const paths = patterns.flatMap((pattern) => {
    const found = existsSync(pattern) ? [pattern] : globSync(pattern).sort()
    if (found.length === 0) throw new Error(`${pattern}: no such file`)
    return found
  })
  return [...new Set(paths)].map((path) => ({ path, source: readFileSync(path, 'utf8') }))
}

/** For work that somebody waits for and may see: slower than a courier's, so that a busy machine is no mistake in a template. */
export function openPatientEngine(): Engine {
  return openEngine({ workers: 1, timeoutMs: 30_000 })
}
