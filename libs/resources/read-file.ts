import { open } from 'node:fs/promises'
import { CodedError } from '#libs/errors'

/** The file of a `file://` URI: the rest is its path as it stands, absolute or below the working directory. @throws RESOURCE_UNAVAILABLE */
export async function readResourceFile(uri: string, maxBytes: number): Promise<Buffer> {
  const path = uri.slice('file://'.length)
  try {
    await using file = await open(path, 'r')
    const stat = await file.stat()
    // A device or a pipe may have no end.
    if (!stat.isFile()) throw unavailable(path, 'is no file')
    if (stat.size > maxBytes) throw unavailable(path, `has ${stat.size} bytes, at most ${maxBytes} will do`)
    return await file.readFile()
  } catch (error) {
    if (error instanceof CodedError) throw error
    const { code } = error as NodeJS.ErrnoException
    throw unavailable(path, WORDS[code ?? ''] ?? `cannot be read (${code})`, error)
  }
}

const WORDS: Record<string, string | undefined> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read by this process',
  EISDIR: 'is a folder',
}

function unavailable(path: string, problem: string, cause?: unknown): CodedError {
  return new CodedError('RESOURCE_UNAVAILABLE', `file ${path}: ${problem}`, { cause })
}
