import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Action, actOnFilter, actOnIds, type BulkAction, countText } from './act-on-messages.ts'
import { openAdminClient } from './admin-client.ts'
import { addGroup } from './command-group.ts'
import { FILTERS_HELP, type FilterOptions, filterOf, takesFilters } from './message-filters.ts'
import { type ListedMessage, MESSAGES, messagePath, type ShownMessage } from './message-json.ts'
import { messageTable, messageText } from './message-text.ts'
import { FORMATS, type Format, print, tableOf } from './print.ts'
import { onStopSignal } from './stop-signal.ts'

interface ListOptions extends FilterOptions {
  readonly limit: number
  readonly format: Format
}

interface ActOptions extends FilterOptions {
  readonly dryRun?: true
  readonly yes?: true
  readonly format: Format
}

const MOST_PER_PAGE = 500
const WHERE = `
The console is found by POSTRIDER_URL, else in run.json of POSTRIDER_HOME, else at 127.0.0.1 with POSTRIDER_CONSOLE_PORT.
POSTRIDER_API_KEY is sent as bearer token.`

export function addMessagesCommand(program: Command): void {
  const group = addGroup(program, 'messages', 'Look at messages and their delivery, and act on them.')
  addList(group)
  addTail(group)
  addShow(group)
  addBulk(group, 'retry', 'Send now what waits for its next attempt, or is held.')
  addBulk(group, 'cancel', 'End what was not sent yet.')
  addResend(group)
}

function addList(group: Command): void {
  takesFilters(group.command('list'))
    .description('List messages, newest first.')
    .option('--limit <count>', 'most messages to list', positiveInteger, 50)
    .addOption(formatOption('how to print; json is the body of the API'))
    .addHelpText(
      'after',
      `
Examples:
  $ postrider messages list --status abandoned
  $ postrider messages list --recipient ada@example.org --limit 5
  $ postrider messages list --state deferred --class network --since 1h
  $ postrider messages list -q 'example.org 5.1.1' --project shop
  $ postrider messages list --format json | jq '.[].id'
${FILTERS_HELP}
${WHERE}`,
    )
    .action(async (options: ListOptions) => {
      const messages = await listMessages(options)
      print(messages, options.format, () => messageTable(messages))
    })
}

function addTail(group: Command): void {
  takesFilters(group.command('tail'))
    .description('Follow messages as they change, one line per change, until interrupted.')
    .addOption(formatOption('how to print; json is one object per line'))
    .addHelpText(
      'after',
      `
Examples:
  $ postrider messages tail
  $ postrider messages tail --state abandoned --domain example.org
  $ postrider messages tail --format json | jq -r 'select(.state == "deferred") | .last_error'

A connection that breaks is made anew, and nothing is left out for five minutes.
${FILTERS_HELP}`,
    )
    .action(async ({ format, ...filters }: FilterOptions & { readonly format: Format }) => {
      using stop = onStopSignal()
      const { tailMessages } = await import('./tail-messages.ts')
      const client = await openAdminClient(process.env)
      await tailMessages({ filter: filterOf(filters), format, client, stopping: stop.stopping })
    })
}

function addShow(group: Command): void {
  group
    .command('show')
    .description('Show one message with its attempts: server, phases, reply and what was decided.')
    .argument('<id>', 'id of the message')
    .option('--conversation', 'also what courier and server said to each other, of attempts that failed')
    .addOption(formatOption('how to print; json is the body of the API'))
    .addHelpText(
      'after',
      `
Examples:
  $ postrider messages show 019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f
  $ postrider messages show 019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f --conversation
  $ postrider messages show 019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f --format yaml`,
    )
    .action(async (id: string, { format, conversation = false }: { format: Format; conversation?: boolean }) => {
      const { body } = await (await openAdminClient(process.env)).get(messagePath(id))
      print(body, format, () => messageText(body as ShownMessage, conversation))
    })
}

function addBulk(group: Command, action: BulkAction, description: string): void {
  takesFilters(group.command(action))
    .description(description)
    .argument('[id...]', 'ids of messages; instead of them a filter')
    .option('--dry-run', 'only count what a filter chooses')
    .option('-y, --yes', 'do not ask; needed for a filter where there is no terminal')
    .addOption(formatOption('how to print what was done'))
    .addHelpText(
      'after',
      `
Examples:
  $ postrider messages ${action} 019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f
  $ postrider messages ${action} --state deferred --class network --dry-run
  $ postrider messages ${action} --domain example.org --since 2h --yes
${FILTERS_HELP}

Exit 1 where a message was refused.`,
    )
    .action(async (ids: readonly string[], options: ActOptions, command: Command) => {
      const filter = filterOf(options)
      const hasFilter = Object.keys(filter).length > 0
      if (ids.length > 0 === hasFilter)
        command.error(`error: ${hasFilter ? 'found ids and a filter' : 'found nothing'}, allowed ids or a filter`)
      if (ids.length > 0 && options.dryRun) command.error("error: option '--dry-run' is for a filter")
      if (hasFilter) await runBulk(action, filter, options)
      else await runIds(action, ids, options.format)
    })
}

function addResend(group: Command): void {
  group
    .command('resend')
    .description('Make new messages with the content of ones that have come to their end.')
    .argument('<id...>', 'ids of messages')
    .addOption(formatOption('how to print what was done'))
    .addHelpText(
      'after',
      `
Examples:
  $ postrider messages resend 019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f
  $ postrider messages list --domain example.org --status abandoned --format json | jq -r '.[].id' | xargs postrider messages resend

A code or link keeps its own end, and is refused after it. Exit 1 where a message was refused.`,
    )
    .action((ids: readonly string[], { format }: { format: Format }) => runIds('resend', ids, format))
}

async function runIds(action: Action, ids: readonly string[], format: Format): Promise<void> {
  const acted = await actOnIds(action, ids, await openAdminClient(process.env))
  const rows = acted.map(({ id, ok, new_id: newId, error }) => [id, ok ? 'done' : 'refused', newId ?? error ?? ''])
  print(acted, format, () => tableOf(['ID', 'RESULT', action === 'resend' ? 'NEW ID' : ''], rows))
  const refused = acted.filter(({ ok }) => !ok).length
  console.error(`${acted.length - refused} done, ${refused} refused`)
  if (refused > 0) process.exitCode = 1
}

async function runBulk(action: BulkAction, filter: Record<string, string>, options: ActOptions): Promise<void> {
  const client = await openAdminClient(process.env)
  const isDryRun = options.dryRun ?? false
  const counted = await actOnFilter(action, { filter, isDryRun, isConfirmed: options.yes ?? false, client })
  if (counted === undefined) {
    console.error('nothing was done')
    process.exitCode = 1
    return
  }
  print(counted, options.format, () => countText(action, counted, isDryRun))
}

function formatOption(description: string): Option {
  return new Option('--format <format>', description).choices(FORMATS).default('table')
}

function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number of at least 1.')
  return value
}

async function listMessages({ limit, ...filters }: ListOptions): Promise<ListedMessage[]> {
  const client = await openAdminClient(process.env)
  const query = new URLSearchParams({ page_size: String(Math.min(limit, MOST_PER_PAGE)), ...filterOf(filters) })
  const messages: ListedMessage[] = []
  for (let path: string | undefined = `${MESSAGES}?${query}`; path !== undefined && messages.length < limit; ) {
    const { body, next }: { body: unknown; next: string | undefined } = await client.get(path)
    messages.push(...(body as ListedMessage[]))
    path = next
  }
  return messages.slice(0, limit)
}
