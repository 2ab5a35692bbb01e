/** Folders of .cache in the clone: what was fetched once and does not change. */
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const CACHE = join(import.meta.dirname, '..', '..', '.cache')

/** The folder of what `recipe`, a file, says: another content, another folder. */
export async function folderOf(kind: string, recipe: string): Promise<string> {
  return folderOfHash(
    kind,
    createHash('sha256')
      .update(await readFile(recipe))
      .digest('hex'),
  )
}

export function folderOfHash(kind: string, hash: string): string {
  return join(CACHE, kind, hash.slice(0, 16))
}

/**
 * Fills `folder` once. It is filled under another name and renamed when whole, so that neither an interrupted start nor two starts
 * at once leave a half one.
 */
export async function ensureFolder(folder: string, fill: (next: string) => Promise<void>): Promise<void> {
  if (await exists(folder)) return
  await mkdir(dirname(folder), { recursive: true })
  const next = await mkdtemp(join(dirname(folder), 'next-'))
  try {
    await fill(next)
    await rename(next, folder)
  } catch (error) {
    if (!(await exists(folder))) throw error // else: another start was quicker
  } finally {
    await rm(next, { recursive: true, force: true })
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
