/** The files of the Email Delivery page as they were built, read once. */
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'

export interface PageFile {
  readonly type: string
  readonly content: Buffer
}

const BUILT = resolve(import.meta.dirname, '..', '..', '.cache', 'page')
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}
/** Views of the page, which its own script tells apart. */
const VIEWS = [
  '/',
  '/messages',
  '/messages/:id',
  '/configuration',
  '/templates',
  '/templates/:type',
  '/keys',
  '/audit',
  '/mailbox',
]
const NOT_BUILT =
  '<!doctype html><title>Postrider</title><p>The page is not built. Run <code>npm run build:page</code>.</p>'

/** By route. */
export async function loadPageFiles(folder = BUILT): Promise<ReadonlyMap<string, PageFile>> {
  const document = await readFile(join(folder, 'index.html')).catch(notBuilt)
  const files = new Map(VIEWS.map((route) => [route, { type: 'text/html; charset=utf-8', content: document }]))
  for (const name of await readdir(join(folder, 'assets')).catch(nothing)) {
    const type = TYPES[extname(name)]
    if (type !== undefined)
      files.set(`/assets/${name}`, { type, content: await readFile(join(folder, 'assets', name)) })
  }
  return files
}

function notBuilt(error: NodeJS.ErrnoException): Buffer {
  if (error.code !== 'ENOENT') throw error
  return Buffer.from(NOT_BUILT)
}

function nothing(error: NodeJS.ErrnoException): string[] {
  if (error.code !== 'ENOENT') throw error
  return []
}
