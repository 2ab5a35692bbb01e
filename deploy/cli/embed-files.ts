import { isRecord } from './document.ts'
import { readBytes } from './read-source.ts'

const SCHEME = 'file://'
/** They name a schema, they do not ask for its text. */
const NAMES = ['$id', '$schema']

/**
 * Replaces every text `file://<path>` by `base64://<content>`; a path that is not absolute is one of the working directory.
 * @param name of the document, for messages
 * @throws with key and path of a file that cannot be read
 */
export async function embedFiles(value: unknown, name: string, key = ''): Promise<unknown> {
  if (typeof value === 'string') return value.startsWith(SCHEME) ? await embedded(value, `${name}: ${key}`) : value
  const below = (part: string | number): string => (key === '' ? String(part) : `${key}.${part}`)
  if (Array.isArray(value)) {
    return await Promise.all(value.map((item, index) => embedFiles(item, name, below(index))))
  }
  if (!isRecord(value)) return value
  const entries = Object.entries(value).map(async ([part, child]) => {
    const isName = NAMES.includes(part) && typeof child === 'string'
    return [part, isName ? child : await embedFiles(child, name, below(part))] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

async function embedded(uri: string, owner: string): Promise<string> {
  const content = await readBytes(uri.slice(SCHEME.length), owner)
  return `base64://${content.toString('base64')}`
}
