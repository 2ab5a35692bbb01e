import { join } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { loadConfig, parseDuration, requireDatabase } from '#libs/config'
import { type Database, openDatabase } from '#libs/database'
import { ROLES, type Role } from '../../services/console/access.ts'
import { createKey, endKey, type KeyJson, shownKeys } from '../../services/console/keys/manage-keys.ts'
import { readRunFile } from '../local/run-file.ts'
import { readState } from '../local/state-file.ts'
import { addGroup } from './command-group.ts'
import { FORMATS, type Format, print, tableOf } from './print.ts'

interface CreateOptions {
  readonly name: string
  readonly role: Role
  readonly project?: string
  readonly expiresIn?: number
  readonly format: Format
}

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
    .option('--expires-in <duration>', 'how long it is good, such as 720h (default: until revoked)', futureMs)
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
        const keys = await shownKeys(database)
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
        await endKey(database, id)
        console.error(`key ${id} is revoked`)
      }),
    )
}

function formatOption(what: string): Option {
  return new Option('--format <format>', what).choices(FORMATS).default('table')
}

function futureMs(text: string): number {
  try {
    return parseDuration(text)
  } catch {
    throw new InvalidArgumentError('Expected a duration such as 720h.')
  }
}

async function create(database: Database, { name, role, project, expiresIn, format }: CreateOptions): Promise<void> {
  const key = await createKey(database, {
    name,
    role,
    ...(project !== undefined && { project }),
    ...(expiresIn !== undefined && { expiresAt: new Date(Date.now() + expiresIn) }),
  })
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
  await using database = openDatabase({ url: await databaseUrl(), applicationName: 'postrider-keys', max: 1 })
  await action(database)
}

/** @throws CONFIG_INVALID where no database is named and none runs here */
async function databaseUrl(): Promise<string> {
  const config = loadConfig({ env: process.env })
  const url = config.postrider.database.url || (await embeddedUrl(process.env.POSTRIDER_HOME || '.postrider'))
  if (url === undefined) requireDatabase(config)
  return url ?? ''
}

/** Of the PostgreSQL that a running `up` of this home started. */
async function embeddedUrl(home: string): Promise<string | undefined> {
  const postgres = (await readRunFile(home))?.processes.find(({ service }) => service === 'postgres')
  const port = postgres?.ports.postgres
  const record = await readState<{ password: string }>(join(home, 'postgres.json'))
  if (port === undefined || record?.password === undefined) return undefined
  return `postgres://postrider:${record.password}@127.0.0.1:${port}/postrider`
}
