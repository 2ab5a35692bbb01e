/** Where a document given by `--file` comes from. */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { messageOf } from '#libs/errors'
import type { Source } from './document.ts'

const FETCH_MS = 30_000

/** Several may stand in one argument, as `a.yaml,b.yaml`; what has a scheme is one. */
export function splitSources(argument: string): string[] {
  return /^[a-z0-9]+:\/\//i.test(argument) ? [argument] : argument.split(',').filter((part) => part !== '')
}

/** Reads a path, `file://`, `http(s)://`, `base64://` or `-` for stdin. @throws with the source and what to do */
export async function readSource(given: string): Promise<Source> {
  if (given === '-') return readStdin()
  if (/^https?:\/\//i.test(given)) return { name: hidden(given), text: await download(given) }
  if (given.startsWith('base64://'))
    return { name: 'base64://…', text: decodeBase64(given.slice('base64://'.length), 'base64://…') }
  const name = given.replace(/^file:\/\//, '')
  if (/^[a-z0-9]+:\/\//i.test(name))
    throw new Error(`${hidden(name)}: found another scheme, allowed a path, file://, http(s)://, base64:// and -`)
  if (/\.(toml|jsonnet)$/i.test(name)) throw new Error(`${name}: allowed are yaml, yml and json; convert the file`)
  return { name, text: (await readBytes(name, name)).toString('utf8') }
}

/** @throws where nothing is piped in, since a terminal would wait for ever */
export async function readStdin(): Promise<Source> {
  if (process.stdin.isTTY) throw new Error('stdin is a terminal: pipe a configuration in, or name one by --file')
  return { name: 'stdin', text: await textOf(process.stdin) }
}

/** @param owner stands first in the message of an error. */
export async function readBytes(path: string, owner: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const reason = code === 'ENOENT' ? 'there is no such file' : `the file cannot be read (${code})`
    throw new Error(`${owner}: ${reason}: ${resolve(path)}`)
  }
}

function decodeBase64(text: string, owner: string): string {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw new Error(`${owner}: what follows is no base64`)
  return Buffer.from(text, 'base64').toString('utf8')
}

async function download(url: string): Promise<string> {
  const target = URL.parse(url)
  if (target === null) throw new Error(`${hidden(url)}: no valid address`)
  const headers = basicAuthorization(target)
  let response: Response
  try {
    response = await fetch(target, { headers, signal: AbortSignal.timeout(FETCH_MS) })
    if (response.ok) return await response.text()
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? messageOf(error.cause) : messageOf(error)
    throw new Error(`${hidden(url)}: no answer (${cause})`)
  }
  throw new Error(`${hidden(url)}: answered ${response.status}, expected the document`)
}

/** Takes user and password out of `url`, since `fetch` refuses them there. */
function basicAuthorization(url: URL): Record<string, string> {
  const credentials = [url.username, url.password].map(decodeURIComponent).join(':')
  url.username = ''
  url.password = ''
  return credentials === ':' ? {} : { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
}

/** Without user, password and query, which may be secret. */
function hidden(url: string): string {
  const parsed = URL.parse(url)
  return parsed === null ? url.replace(/:\/\/.*/s, '://…') : `${parsed.protocol}//${parsed.host}${parsed.pathname}`
}
