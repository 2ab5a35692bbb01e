/** PostgreSQL: whether it answers, is of this version, keeps the same time, and how much waits in it. */
import { readdir } from 'node:fs/promises'
import { type Database, openDatabase, pgCode } from '#libs/database'
import { attempt, type Check, fail, ok, reasonOf, skip, warn } from './check.ts'

const OLDEST_SERVER = 150_000
const MIGRATIONS = new URL('../../../db/', import.meta.url)
const UNDEFINED_TABLE = '42P01'
/** Ids carry the database's time: a message of more than 5 minutes ahead is refused. */
const MAX_SKEW_MS = 300_000
const NOTABLE_SKEW_MS = 2_000
/** Counted up to here. */
const MOST = 10_001
const MANY = 1_000
const OLD_S = 60

const MIGRATE = 'Run postrider migrate with the DATABASE_URL of the services.'
/** By the code of PostgreSQL or of the network. */
const REMEDIES: Readonly<Record<string, string>> = {
  '28P01': 'Correct the password in DATABASE_URL, or set it anew: alter role … password …',
  '28000': 'Let this user in: pg_hba.conf of the server, and the role itself.',
  '3D000': 'Create the database, then run postrider migrate.',
  ECONNREFUSED: 'Start PostgreSQL, or correct host and port in DATABASE_URL.',
  ENOTFOUND: 'Correct the host name in DATABASE_URL.',
}
const USUAL_REMEDY = 'Check DATABASE_URL, the network in between, and the log of the server.'

/** @param url undefined where none is named */
export async function databaseChecks(url: string | undefined): Promise<Check[]> {
  if (url === undefined) {
    const remedy = 'Set DATABASE_URL, or start postrider up in this POSTRIDER_HOME.'
    return [fail('database.reachable', 'no database is named, and none runs here', remedy), ...unreached()]
  }
  await using database = openDatabase({ url, applicationName: 'postrider-doctor', max: 2 })
  const reachable = await checkReachable(database, url)
  if (reachable.status === 'fail') return [reachable, ...unreached()]
  const further = await Promise.all([
    attempt('database.migrations', MIGRATE, () => checkMigrations(database)),
    attempt('database.clock', 'Set both clocks by NTP.', () => checkClock(database)),
    attempt('database.backlog', MIGRATE, () => checkBacklog(database)),
  ])
  return [reachable, ...further.flat()]
}

function unreached(): Check[] {
  return ['migrations', 'clock', 'backlog'].map((name) => skip(`database.${name}`, 'the database was not reached'))
}

async function checkReachable(database: Database, url: string): Promise<Check> {
  const { host, pathname } = new URL(url)
  try {
    const { rows } = await database.query<{ version: number; name: string }>({
      text: `select current_setting('server_version_num')::int as version, current_setting('server_version') as name`,
    })
    const { version = 0, name = '' } = rows[0] ?? {}
    const found = `PostgreSQL ${name} at ${host}${pathname}`
    if (version >= OLDEST_SERVER) return ok('database.reachable', found)
    return fail('database.reachable', found, 'Move to PostgreSQL 15 or later.')
  } catch (error) {
    const code = pgCode(error) ?? networkCode(error)
    return fail('database.reachable', `${host}${pathname}: ${reasonOf(error)}`, REMEDIES[code] ?? USUAL_REMEDY)
  }
}

function networkCode(error: unknown): string {
  const { code, errors } = error as { code?: string; errors?: readonly { code?: string }[] }
  return code ?? errors?.[0]?.code ?? ''
}

async function checkMigrations(database: Database): Promise<Check> {
  const missing: string[] = []
  const unknown: string[] = []
  let count = 0
  for (const schema of await schemas()) {
    const [files, applied] = [await migrationNames(schema), await appliedNames(database, schema)]
    missing.push(...files.filter((name) => !applied.includes(name)).map((name) => `${schema}/${name}`))
    unknown.push(...applied.filter((name) => !files.includes(name)).map((name) => `${schema}/${name}`))
    count += files.length
  }
  if (missing.length > 0) return fail('database.migrations', `not applied: ${missing.join(', ')}`, MIGRATE)
  if (unknown.length === 0) return ok('database.migrations', `all ${count} are applied`)
  const remedy = 'Run the version of Postrider that made them, or a later one.'
  return warn('database.migrations', `of another version: ${unknown.join(', ')}`, remedy)
}

async function schemas(): Promise<string[]> {
  const entries = await readdir(MIGRATIONS, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

async function migrationNames(schema: string): Promise<string[]> {
  const files = await readdir(new URL(`${schema}/`, MIGRATIONS))
  return files.filter((name) => /^\d{3}_.*\.ts$/.test(name)).map((name) => name.replace(/\.ts$/, ''))
}

async function appliedNames(database: Database, schema: string): Promise<string[]> {
  try {
    const { rows } = await database.query<{ name: string }>({ text: `select name from ${schema}.migration` })
    return rows.map(({ name }) => name.replace(/\.ts$/, ''))
  } catch (error) {
    if (pgCode(error) === UNDEFINED_TABLE) return []
    throw error
  }
}

async function checkClock(database: Database): Promise<Check> {
  const beforeMs = Date.now()
  const { rows } = await database.query<{ at: Date }>({ text: 'select clock_timestamp() as at' })
  const afterMs = Date.now()
  const atMs = rows[0]?.at.getTime() ?? 0
  // Anywhere within the round trip is no difference.
  const skewMs = Math.max(0, beforeMs - atMs, atMs - afterMs)
  const told = `${(skewMs / 1_000).toFixed(1)} s between the database and this machine`
  const remedy = 'Set both clocks by NTP: times of expiry and ids are by the database’s clock.'
  if (skewMs > MAX_SKEW_MS) return fail('database.clock', told, remedy)
  return skewMs > NOTABLE_SKEW_MS ? warn('database.clock', told, remedy) : ok('database.clock', told)
}

async function checkBacklog(database: Database): Promise<Check> {
  const { rows } = await database.query<{ count: number; age_s: number | null }>({
    text: `select count(*)::int as count, greatest(0, extract(epoch from now() - min(created_at)))::float8 as age_s
           from (select created_at from outbox.message limit ${MOST}) m`,
  })
  const { count = 0, age_s: ageS } = rows[0] ?? {}
  const counted = count >= MOST ? `${MOST - 1} or more` : String(count)
  const told = `${counted} in the outbox${ageS == null ? '' : `, the oldest for ${Math.round(ageS)} s`}`
  if (count < MANY && (ageS ?? 0) < OLD_S) return ok('database.backlog', told)
  return warn('database.backlog', told, 'See that a relay runs and reaches Kafka: its health, and its log.')
}
