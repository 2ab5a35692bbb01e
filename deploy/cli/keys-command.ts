import { type Command, Option } from 'commander'
import type { Database } from '#libs/database'
import { ROLES, type Role } from '../../services/console/access.ts'
import type { KeyJson } from '../../services/console/keys/manage-keys.ts'
import { addGroup } from './command-group.ts'
import { durationMs } from './instant.ts'
import { FORMATS, type Format, print, tableOf } from './print.ts'

interface CreateOptions {
  readonly name: string
  readonly role: Role
  readonly project?: string
  readonly expiresIn?: number
  readonly format: Format
}

/** In the audit log: whoever may write to the database needs no key. */
const ACTOR = 'command line'
const WHERE =
  '\nWorks on the database itself (DATABASE_URL, else that of the running postrider up), so no key is needed.'

export function addKeysCommand(program: Command): void {
  const group = addGroup(program, 'keys', 'Make and revoke keys of the admin API.')
  group
    .command('create')
    .description('Make a key. It is shown once, on stdout, and kept nowhere.')
    .requiredOption('--name <name>', 'who or what uses it; stands in the history of configurations')
    .addOption(
      new Option('--role <role>', 'viewer reads, sender sends, operator does both and retries, admin does all')
        .choices(ROLES)
        .makeOptionMandatory(),
    )
    .option('--project <project>', 'bind it to one project, by id or slug')
    .option('--expires-in <duration>', 'how long it is good, such as 720h (default: until revoked)', durationMs)
    .addOption(formatOption('json tells the id too'))
    .addHelpText(
      'after',
      `
Examples:
  $ postrider keys create --name ops --role admin
  $ POSTRIDER_API_KEY=$(postrider keys create --name shop --role sender --project shop --expires-in 2160h)
${WHERE}`,
    )
    .action((options: CreateOptions) => inDatabase((database) => create(database, options)))
  group
    .command('list')
    .description('List keys, newest first, the revoked ones too.')
    .addOption(formatOption('how to print; json is the body of the API'))
    .addHelpText('after', `\nExamples:\n  $ postrider keys list\n${WHERE}`)
    .action(({ format }: { format: Format }) =>
      inDatabase(async (database) => {
        const keys = await (await manageKeys()).shownKeys(database)
        print(keys, format, () => keyTable(keys))
      }),
    )
  group
    .command('revoke')
    .description('End a key at once, and with it every browser that signed in with it.')
    .argument('<id>', 'id of the key: the part behind pr_')
    .addHelpText('after', `\nExamples:\n  $ postrider keys revoke 0b8f1c2d3e4f\n${WHERE}`)
    .action((id: string) =>
      inDatabase(async (database) => {
        await (await manageKeys()).endKey(database, id, ACTOR)
        console.error(`key ${id} is revoked`)
      }),
    )
}

function formatOption(what: string): Option {
  return new Option('--format <format>', what).choices(FORMATS).default('table')
}

/** Loaded only where it is needed, as all that speaks with a database. */
function manageKeys() {
  return import('../../services/console/keys/manage-keys.ts')
}

async function create(database: Database, { name, role, project, expiresIn, format }: CreateOptions): Promise<void> {
  const request = {
    name,
    role,
    ...(project !== undefined && { project }),
    ...(expiresIn !== undefined && { expiresAt: new Date(Date.now() + expiresIn) }),
  }
  const key = await (await manageKeys()).createKey(database, request, ACTOR)
  print(key, format, () => key.token)
  console.error(`key ${key.id} (${role}) is made; it is not shown again`)
}

function keyTable(keys: readonly KeyJson[]): string {
  return tableOf(
    ['ID', 'NAME', 'ROLE', 'PROJECT', 'CREATED', 'LAST USED', 'EXPIRES', 'REVOKED'],
    keys.map((key) => [
      key.id,
      key.name,
      key.role,
      key.project ?? '',
      key.created_at,
      key.last_used_at ?? '',
      key.expires_at ?? '',
      key.revoked_at ?? '',
    ]),
  )
}

async function inDatabase(action: (database: Database) => Promise<void>): Promise<void> {
  const { openDatabase } = await import('#libs/database')
  await using database = openDatabase({ url: await databaseUrl(), applicationName: 'postrider-keys', max: 1 })
  await action(database)
}

/** @throws CONFIG_INVALID where no database is named and none runs here */
async function databaseUrl(): Promise<string> {
  const { loadConfig, requireDatabase } = await import('#libs/config')
  const { findDatabaseUrl } = await import('./find-servers.ts')
  const config = loadConfig({ env: process.env })
  const url = await findDatabaseUrl(config, process.env.POSTRIDER_HOME || '.postrider')
  if (url === undefined) requireDatabase(config)
  return url ?? ''
}
