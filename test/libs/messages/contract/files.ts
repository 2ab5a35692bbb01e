import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export const CONTRACT = join(import.meta.dirname, '../../../../libs/messages/contract')

export function readContract(name: string): string {
  return readFileSync(join(CONTRACT, name), 'utf8')
}

/** Names of the schemas of past releases, relative to the contract. */
export function publishedSchemas(): string[] {
  return readdirSync(join(CONTRACT, 'published')).map((name) => `published/${name}`)
}
