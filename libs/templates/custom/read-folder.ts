import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { TemplateFiles } from '#libs/engine'
import { CodedError } from '#libs/errors'
import { BASES } from './template-parts.ts'

/** More than any mail needs, and what the engine is ready to keep compiled. */
export const MAX_SET_BYTES = 512 * 1024
const MAX_FILES = 100

/** By base: the files of one folder whose names start with it. Bases without a file are missing. */
export type FolderSets = ReadonlyMap<string, TemplateFiles>

/**
 * Reads the templates of one type; there are none where its folder does not exist.
 * @throws RESOURCE_UNAVAILABLE where `root` itself does not exist, or a file cannot be read or is too large
 */
export async function readFolder(root: string, folder: string): Promise<FolderSets> {
  const path = join(root, folder)
  const files = await readFiles(path, await namesIn(root, path))
  const sets = BASES.map((base) => [base, setOf(files, base)] as const)
  for (const [base, set] of sets) checkSize(join(path, `${base}*`), set)
  return new Map(sets.filter(([, set]) => Object.keys(set).length > 0))
}

async function namesIn(root: string, path: string): Promise<string[]> {
  try {
    const names = await readdir(path)
    return names.filter((name) => BASES.some((base) => name.startsWith(base)))
  } catch (error) {
    if (!isMissing(error)) throw unreadable(path, error)
    // A type without a folder is nothing special; a root that went away is an outage or a typing mistake.
    await stat(root).catch((cause) => {
      throw unreadable(root, cause)
    })
    return []
  }
}

async function readFiles(path: string, names: readonly string[]): Promise<TemplateFiles> {
  if (names.length > MAX_FILES)
    throw unavailable(`${path}: holds ${names.length} templates, at most ${MAX_FILES} will do`)
  const entries = await Promise.all(names.map(async (name) => [name, await readText(join(path, name))] as const))
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/** undefined for what is no file. */
async function readText(path: string): Promise<string | undefined> {
  try {
    const { size, isFile } = await stat(path).then((found) => ({ size: found.size, isFile: found.isFile() }))
    if (!isFile) return undefined
    if (size > MAX_SET_BYTES) throw tooLarge(path, size)
    return await readFile(path, 'utf8')
  } catch (error) {
    throw error instanceof CodedError ? error : unreadable(path, error)
  }
}

function setOf(files: TemplateFiles, base: string): TemplateFiles {
  return Object.fromEntries(Object.entries(files).filter(([name]) => name.startsWith(base)))
}

function checkSize(place: string, files: TemplateFiles): void {
  const bytes = Object.values(files).reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  if (bytes > MAX_SET_BYTES) throw tooLarge(place, bytes)
}

export function tooLarge(place: string, bytes: number): CodedError {
  return unavailable(`${place}: ${bytes} bytes, at most ${MAX_SET_BYTES} will do`)
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function unreadable(path: string, cause: unknown): CodedError {
  const { code } = cause as NodeJS.ErrnoException
  return unavailable(`${path}: ${code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})`}`, cause)
}

function unavailable(message: string, cause?: unknown): CodedError {
  return new CodedError('RESOURCE_UNAVAILABLE', message, { cause })
}
