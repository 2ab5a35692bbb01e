/**
 * Makes the secrets of docker-compose.yml, each in a file of a volume that only its containers see, and keeps those that are there.
 * Prints which, never what. SECRETS_CIPHER and POSTRIDER_CONSOLE_ADMIN_KEY, where set, take the place of what was kept.
 *
 * node make-secrets.ts <folder of the services> <folder of the database>
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** All services run as the owner of these files. */
const FOR_SERVICES = 0o400
/** PostgreSQL runs as another user; nothing else mounts the folder. */
const FOR_DATABASE = 0o444

const [services, database] = process.argv.slice(2)
if (services === undefined || database === undefined) {
  console.error('usage: node make-secrets.ts <folder of the services> <folder of the database>')
  process.exit(2)
}

const { SECRETS_CIPHER: cipher, POSTRIDER_CONSOLE_ADMIN_KEY: consoleKey } = process.env
keep(join(services, 'cipher'), cipher, FOR_SERVICES)
keep(join(services, 'console_key'), consoleKey, FOR_SERVICES)
const password = keep(join(database, 'password'), undefined, FOR_DATABASE)
keep(join(services, 'database_url'), `postgres://postrider:${password}@postgres:5432/postrider`, FOR_SERVICES)

/** @returns what `path` holds now: `given`, else what it held, else something new */
function keep(path: string, given: string | undefined, mode: number): string {
  const kept = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  const value = given || kept || randomBytes(32).toString('base64url')
  if (value === kept) console.log(`${path}: kept`)
  else {
    // In place at once: a crash leaves the old secret or the new one, never half of it.
    const next = `${path}.next`
    rmSync(next, { force: true })
    writeFileSync(next, value, { mode })
    renameSync(next, path)
    console.log(`${path}: ${given ? 'set' : 'made'}`)
  }
  return value
}
