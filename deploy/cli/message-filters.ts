/** The options that choose messages: one for each filter of the API. */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { instant } from './instant.ts'

export interface FilterOptions {
  readonly status?: string
  readonly recipient?: string
  readonly state?: string
  readonly template?: string
  readonly project?: string
  readonly channel?: string
  readonly domain?: string
  readonly class?: string
  readonly code?: string
  readonly trace?: string
  readonly providerId?: string
  readonly identity?: string
  readonly since?: string
  readonly until?: string
  readonly query?: string
}

const STATUSES = ['queued', 'processing', 'sent', 'abandoned']
const ENHANCED = /^[245]\.\d{1,3}\.\d{1,3}$/
const REPLY = /^[1-5]\d\d$/

export const FILTERS_HELP = `
All filters hold together. --query takes what the search box of the page takes: an address, an id, a code such as 5.1.1,
or state: template: code: domain: class: channel: project: to: trace: provider: with a value.`

export function takesFilters(command: Command): Command {
  return command
    .addOption(new Option('--status <status>', "Ory's status").choices(STATUSES))
    .option('--state <state>', 'such as deferred, held, sent, abandoned, expired, cancelled')
    .option('--recipient <address>', 'only to exactly this address')
    .option('--template <type>', 'template type, such as login_code_valid')
    .option('--project <project>', 'id or slug')
    .addOption(new Option('--channel <channel>', 'how they go').choices(['email', 'sms']))
    .option('--domain <domain>', 'domain of the recipient')
    .option('--class <class>', 'class of the last failure, such as network, auth or throttled')
    .option('--code <code>', 'last reply, such as 550 or 5.1.1', replyCode)
    .option('--trace <id>', 'of this trace')
    .option('--provider-id <id>', 'what the provider named it')
    .option('--identity <id>', 'to exactly this identity')
    .option('--since <time>', 'created then or later: a time ago such as 1h, or an instant', instant)
    .option('--until <time>', 'created earlier', instant)
    .option('-q, --query <words>', 'words as in the search box; all hold', andWords)
}

/** By the names of the API, those alone that were given. */
export function filterOf(options: FilterOptions): Record<string, string> {
  const { status, recipient, state, template, project, channel, domain, code } = options
  const isEnhanced = code !== undefined && ENHANCED.test(code)
  const named = {
    status,
    recipient,
    state,
    template_type: template,
    project,
    channel,
    domain,
    class: options.class,
    reply_code: isEnhanced ? undefined : code,
    enhanced_code: isEnhanced ? code : undefined,
    trace_id: options.trace,
    provider_message_id: options.providerId,
    identity_id: options.identity,
    created_after: options.since,
    created_before: options.until,
    q: options.query,
  }
  const given = Object.entries(named).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(given)
}

function replyCode(text: string): string {
  if (!REPLY.test(text) && !ENHANCED.test(text))
    throw new InvalidArgumentError('Allowed are three digits such as 550, and a code such as 5.1.1.')
  return text
}

function andWords(words: string, earlier?: string): string {
  return earlier === undefined ? words : `${earlier} ${words}`
}
