import { type Command, InvalidArgumentError, Option } from 'commander'
import { openAdminClient } from './admin-client.ts'
import { addGroup } from './command-group.ts'
import { FORMATS, type Format, print, tableOf } from './print.ts'

interface ListOptions {
  readonly status?: string
  readonly recipient?: string
  readonly limit: number
  readonly format: Format
}

interface ListedMessage {
  readonly id: string
  readonly state: string
  readonly recipient: string
  readonly template_type: string
  readonly send_count: number
  readonly created_at: string
  readonly next_attempt_at: string | null
  readonly last_error: string | null
}

interface ShownMessage extends ListedMessage {
  readonly blocked_by?: {
    readonly since: string
    readonly next_probe_at: string
    readonly message: string
  } | null
  readonly dispatches?: readonly {
    readonly attempt: number
    readonly status: string
    readonly created_at: string
    readonly duration_ms: number | null
    readonly error: { readonly message: string } | null
  }[]
}

const MOST_PER_PAGE = 500

export function addMessagesCommand(program: Command): void {
  const group = addGroup(program, 'messages', 'Look at messages and their delivery.')
  group
    .command('list')
    .description('List messages, newest first.')
    .addOption(new Option('--status <status>', 'only these').choices(['queued', 'processing', 'sent', 'abandoned']))
    .option('--recipient <address>', 'only to exactly this address')
    .option('--limit <count>', 'most messages to list', positiveInteger, 50)
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ postrider messages list --status abandoned
  $ postrider messages list --recipient ada@example.org --limit 5
  $ postrider messages list --format json | jq '.[].id'

The console is found by POSTRIDER_URL, else in run.json of POSTRIDER_HOME, else at 127.0.0.1 with POSTRIDER_CONSOLE_PORT.
POSTRIDER_API_KEY is sent as bearer token.`,
    )
    .action(async (options: ListOptions) => {
      const messages = await listMessages(options)
      print(messages, options.format, () => messageTable(messages))
    })
  group
    .command('show')
    .description('Show one message with its attempts.')
    .argument('<id>', 'id of the message')
    .addOption(formatOption())
    .addHelpText('after', '\nExamples:\n  $ postrider messages show 019a1f2e-7c3b-7d11-8a52-0b8f1c2d3e4f --format yaml')
    .action(async (id: string, { format }: { format: Format }) => {
      const client = await openAdminClient(process.env)
      const { body } = await client.get(`admin/courier/messages/${encodeURIComponent(id)}`)
      print(body, format, () => detailText(body as ShownMessage))
    })
}

function formatOption(): Option {
  return new Option('--format <format>', 'how to print; json is the body of the API').choices(FORMATS).default('table')
}

function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('Expected a whole number of at least 1.')
  return value
}

async function listMessages({ status, recipient, limit }: ListOptions): Promise<ListedMessage[]> {
  const client = await openAdminClient(process.env)
  const query = new URLSearchParams({ page_size: String(Math.min(limit, MOST_PER_PAGE)) })
  if (status !== undefined) query.set('status', status)
  if (recipient !== undefined) query.set('recipient', recipient)
  const messages: ListedMessage[] = []
  for (
    let path: string | undefined = `admin/courier/messages?${query}`;
    path !== undefined && messages.length < limit;
  ) {
    const { body, next }: { body: unknown; next: string | undefined } = await client.get(path)
    messages.push(...(body as ListedMessage[]))
    path = next
  }
  return messages.slice(0, limit)
}

function messageTable(messages: readonly ListedMessage[]): string {
  return tableOf(
    ['ID', 'STATE', 'RECIPIENT', 'TEMPLATE', 'ATTEMPTS', 'CREATED', 'ERROR'],
    messages.map((message) => [
      message.id,
      message.state,
      message.recipient,
      message.template_type,
      String(message.send_count),
      message.created_at,
      message.last_error ?? '',
    ]),
  )
}

function detailText(message: ShownMessage): string {
  const { dispatches = [], blocked_by, ...fields } = message
  const waits =
    blocked_by && `${blocked_by.message}, since ${blocked_by.since}, next look at ${blocked_by.next_probe_at}`
  const facts = tableOf(
    ['FIELD', 'VALUE'],
    Object.entries({ ...fields, waits: waits ?? null })
      .filter(([, value]) => value !== null && value !== '')
      .map(([name, value]) => [name, String(value)]),
  )
  if (dispatches.length === 0) return facts
  const attempts = tableOf(
    ['ATTEMPT', 'RESULT', 'AT', 'MS', 'ERROR'],
    dispatches.map((dispatch) => [
      String(dispatch.attempt),
      dispatch.status,
      dispatch.created_at,
      String(dispatch.duration_ms ?? ''),
      dispatch.error?.message ?? '',
    ]),
  )
  return `${facts}\n\n${attempts}`
}
