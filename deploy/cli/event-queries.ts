/** The SQL of deploy/analytics. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import { CodedError } from '#libs/errors'

const ANALYTICS = join(import.meta.dirname, '../analytics')
/** Not queries to choose from. */
const PARTS = new Set(['views', 'sample'])

/** Names of the queries that come with Postrider; an image of the services leaves them out. */
export function queryNames(): string[] {
  if (!existsSync(ANALYTICS)) return []
  const files = readdirSync(ANALYTICS).filter((file) => extname(file) === '.sql')
  return files
    .map((file) => basename(file, '.sql'))
    .filter((name) => !PARTS.has(name))
    .sort()
}

/** The SQL of a file, or of a query by its name. @throws NOT_FOUND */
export function readQuery(nameOrFile: string): string {
  if (queryNames().includes(nameOrFile)) return readPart(nameOrFile)
  if (existsSync(nameOrFile)) return readFileSync(nameOrFile, 'utf8')
  throw new CodedError('NOT_FOUND', `${nameOrFile}: neither a file nor one of ${queryNames().join(', ')}`)
}

export function readPart(name: string): string {
  return readFileSync(join(ANALYTICS, `${name}.sql`), 'utf8')
}
