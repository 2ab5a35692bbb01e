/** The files of the Email Delivery page, read once. */
import { readFile } from 'node:fs/promises'

export interface PageFile {
  readonly type: string
  readonly content: Buffer
}

const FILES: readonly [path: string, name: string, type: string][] = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/page.css', 'page.css', 'text/css; charset=utf-8'],
  ['/page.js', 'page.js', 'text/javascript; charset=utf-8'],
]

/** By path. */
export async function loadPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const folder = new URL('./page/', import.meta.url)
  const loaded = FILES.map(
    async ([path, name, type]) => [path, { type, content: await readFile(new URL(name, folder)) }] as const,
  )
  return new Map(await Promise.all(loaded))
}
