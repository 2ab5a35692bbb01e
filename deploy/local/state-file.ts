/** Small JSON files of the state folder, written so that a crash leaves the old or the new content, never half of one. */
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Reads `path`; undefined when it is missing or not JSON, as after a full disk. The content's shape is the caller's own. */
export async function readState<T>(path: string): Promise<Partial<T> | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'))
    return typeof value === 'object' && value !== null ? (value as Partial<T>) : undefined
  } catch (error) {
    if (error instanceof SyntaxError || (error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      return undefined
    }
    throw error
  }
}

/** Replaces `path` by `value` as JSON. `mode` 0o600 for what only its owner may read. */
export async function writeState(path: string, value: unknown, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const next = `${path}.${process.pid}.next`
  await writeFile(next, `${JSON.stringify(value, undefined, 2)}\n`, { mode })
  await rename(next, path)
}
