/** Brings a database up to date: every schema folder beside this file, each with its own migrations table in its own schema. */
import { readdir } from 'node:fs/promises'
import type { Knex } from 'knex'
import { type Database, openDatabase } from '#libs/database'
import { CodedError } from '#libs/errors'

/** In order of dependency; a folder that does not exist is passed over. */
const SCHEMAS = ['config', 'outbox', 'identity', 'courier', 'console'] as const
const OLDEST_SERVER = 150_000
/** Any number, the same for every version: two migrations at once wait for each other. */
const LOCK = 7_301_982_441

/**
 * Applies what is missing. Safe to run twice at once, and after one that was killed.
 * @returns the applied migrations as `schema/name`, empty when there was nothing to do
 * @throws DATABASE_TOO_OLD below PostgreSQL 15
 */
export async function migrate(url: string): Promise<string[]> {
  await using database = openDatabase({ url, applicationName: 'postrider-migrate', max: 1 })
  await checkVersion(database)
  const session = await database.connect()
  try {
    await session.query('select pg_advisory_lock($1)', [LOCK])
    const applied: string[] = []
    for (const schema of SCHEMAS) applied.push(...(await migrateSchema(database.knex, schema)))
    return applied
  } finally {
    await session.end()
  }
}

async function checkVersion(database: Database): Promise<void> {
  const { rows } = await database.query<{ version: number }>({
    text: "select current_setting('server_version_num')::int as version",
  })
  const version = rows[0]?.version ?? 0
  if (version < OLDEST_SERVER)
    throw new CodedError(
      'DATABASE_TOO_OLD',
      `database.url: found PostgreSQL ${Math.floor(version / 10_000)}, needs 15 or later`,
    )
}

async function migrateSchema(knex: Knex, schema: string): Promise<string[]> {
  const folder = new URL(`./${schema}/`, import.meta.url)
  const files = await migrationFiles(folder)
  if (files.length === 0) return []
  await knex.raw('create schema if not exists ??', [schema])
  const config: Knex.MigratorConfig = {
    schemaName: schema,
    tableName: 'migration',
    migrationSource: {
      getMigrations: async () => files,
      getMigrationName: (file: string) => file.replace(/\.ts$/, ''),
      getMigration: (file: string) => import(new URL(file, folder).href),
    },
  }
  // Under the advisory lock nobody else migrates, so a lock row that is set was left by a process that died.
  await knex.migrate.forceFreeMigrationsLock(config)
  const [, names] = (await knex.migrate.latest(config)) as [number, string[]]
  return names.map((name) => `${schema}/${name.replace(/\.ts$/, '')}`)
}

async function migrationFiles(folder: URL): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.filter((name) => /^\d{3}_.*\.ts$/.test(name)).sort()
}
