/** Unpacks a zip archive of known content: neither Node nor a lean system has a program for it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { inflateRawSync } from 'node:zlib'

const END = 0x06054b50
const STORED = 0
const DEFLATED = 8

/**
 * Writes the files of `archive` below `folder`, without their permissions.
 * @param archive one whose hash was compared: its paths are believed, and it must be below 4 GB
 */
export async function unpackZip(archive: Buffer, folder: string): Promise<void> {
  for (const { path, content } of filesOf(archive)) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }
}

function* filesOf(archive: Buffer): Generator<{ path: string; content: Buffer }> {
  const end = archive.lastIndexOf(uint32(END))
  const count = archive.readUInt16LE(end + 10)
  let at = archive.readUInt32LE(end + 16)
  for (let index = 0; index < count; index += 1) {
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset))
    const path = archive.toString('utf8', at + 46, at + 46 + (nameLength ?? 0))
    if (!path.endsWith('/')) yield { path, content: contentOf(archive, at) }
    at += 46 + (nameLength ?? 0) + (extraLength ?? 0) + (commentLength ?? 0)
  }
}

/** The content of the file whose entry in the archive's directory is at `entry`. */
function contentOf(archive: Buffer, entry: number): Buffer {
  const method = archive.readUInt16LE(entry + 10)
  const length = archive.readUInt32LE(entry + 20)
  const local = archive.readUInt32LE(entry + 42)
  // The local header repeats the name, with extra fields of its own.
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28)
  const packed = archive.subarray(start, start + length)
  if (method === STORED) return packed
  if (method === DEFLATED) return inflateRawSync(packed)
  throw new Error(`a file of the archive is packed by method ${method}, known are ${STORED} and ${DEFLATED}`)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
