/** The parameters that choose messages, alike for the list, the stream and the bulk actions. */
import type { Database } from '#libs/database'
import { FAILURE_CLASSES } from '#libs/delivery'
import { CodedError } from '#libs/errors'
import { CHANNELS, isUuid, MESSAGE_STATES, oryStatus, type Sealer } from '#libs/messages'
import type { FilterColumn, MessageFilter, Term } from './message-filter.ts'
import { findProjectIds, findSenderIds } from './message-repository.ts'
import { readSearch, type SearchWord } from './read-search.ts'

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

export interface FilterPorts {
  readonly database: Database
  readonly sealer: Sealer
}

/** Those that Ory's API has come first, and are refused in its words. */
export const FILTER_NAMES = [
  'status',
  'recipient',
  'state',
  'template_type',
  'project',
  'channel',
  'domain',
  'class',
  'reply_code',
  'enhanced_code',
  'created_after',
  'created_before',
  'trace_id',
  'provider_message_id',
  'message_id',
  'identity_id',
  'q',
] as const
export type FilterName = (typeof FILTER_NAMES)[number]

const ORY_STATUSES = ['queued', 'sent', 'processing', 'abandoned'] as const
const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/

/**
 * @param onlyProject id of the one whose messages may be seen; undefined for all
 * @returns undefined where nothing can match: a project that does not exist, or may not be seen
 * @throws REQUEST_INVALID naming the parameter
 */
export async function readFilter(
  query: Query,
  ports: FilterPorts,
  onlyProject: string | undefined,
): Promise<MessageFilter | undefined> {
  const groups = oryTerms(query)
  for (const [name, read] of OWN) {
    const text = first(query[name])
    if (text !== undefined && text !== '') groups.push([read(text, name)])
  }
  const words: SearchWord[] = readSearch(first(query.q) ?? '')
  const recipient = first(query.recipient) || undefined
  if (recipient !== undefined) words.push({ recipient })
  const wanted = [first(query.project) || undefined, ...words.map(({ project }) => project)].filter(
    (project) => project !== undefined,
  )
  const projects = await projectsOf(wanted, words, ports.database, onlyProject)
  if (projects?.length === 0) return undefined
  if (projects !== undefined && (wanted.length > 0 || onlyProject !== undefined))
    groups.push([{ column: 'project_id', anyOf: projects }])
  for (const word of words) groups.push(...groupsOf(word, projects ?? [], ports.sealer))
  return {
    groups,
    createdAfter: instant(query, 'created_after'),
    createdBefore: instant(query, 'created_before'),
  }
}

export function first(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value
}

function oryTerms(query: Query): Term[][] {
  const status = chosen(first(query.status), ORY_STATUSES, 'Message status is not valid')
  const state = chosen(first(query.state) || undefined, MESSAGE_STATES, 'Message state is not valid')
  const templateType = first(query.template_type) || undefined
  const groups: Term[][] = []
  if (status !== undefined)
    groups.push([{ column: 'state', anyOf: MESSAGE_STATES.filter((each) => oryStatus(each) === status) }])
  if (state !== undefined) groups.push([{ column: 'state', anyOf: [state] }])
  if (templateType !== undefined) groups.push([{ column: 'template_type', anyOf: [templateType] }])
  return groups
}

/** Every project where an address is asked for, since its hash is another one in each; undefined where no project matters. */
async function projectsOf(
  wanted: readonly string[],
  words: readonly SearchWord[],
  database: Database,
  onlyProject: string | undefined,
): Promise<string[] | undefined> {
  const named = onlyProject === undefined ? wanted : [onlyProject, ...wanted]
  if (named.length === 0 && words.every(({ recipient }) => recipient === undefined)) return undefined
  if (named.length === 0) return findSenderIds(database)
  const found = await Promise.all(named.map((project) => idsOf(project, database)))
  return found.reduce((all, ids) => all.filter((id) => ids.includes(id)))
}

/** An id that is no project of ours may be a network of Kratos. */
async function idsOf(project: string, database: Database): Promise<string[]> {
  const ids = await findProjectIds(database, project)
  return ids.length === 0 && isUuid(project) ? [project] : ids
}

function groupsOf({ recipient, terms = [] }: SearchWord, projects: readonly string[], sealer: Sealer): Term[][] {
  if (recipient === undefined) return terms.length === 0 ? [] : [[...terms]]
  const anyOf = projects.flatMap((id) => sealer.hmacs(id, recipient))
  return [[{ column: 'recipient_hash', anyOf }, ...terms]]
}

type Read = (text: string, name: FilterName) => Term

const OWN: readonly (readonly [FilterName, Read])[] = [
  ['channel', among('channel', CHANNELS)],
  ['domain', (text) => ({ column: 'recipient_domain', anyOf: [text.toLowerCase()] })],
  ['class', among('failure_class', FAILURE_CLASSES)],
  ['reply_code', matching('reply_code', /^[1-5]\d\d$/, 'three digits such as 550')],
  ['enhanced_code', matching('enhanced_code', /^[245]\.\d{1,3}\.\d{1,3}$/, 'a code such as 5.1.1')],
  ['trace_id', matching('trace_id', /^[0-9a-f]{32}$/i, '32 hex digits')],
  ['provider_message_id', (text) => ({ column: 'provider_message_id', anyOf: [text] })],
  // No index has it, which every message would pay for: the newest are looked at first, and the statement is bounded.
  ['identity_id', (text) => ({ column: 'identity_id', anyOf: [text] })],
  ['message_id', (text, name) => (isUuid(text.toLowerCase()) ? idTerm(text) : refuse(name, 'a UUID'))],
]

function idTerm(text: string): Term {
  return { column: 'id', anyOf: [text.toLowerCase()] }
}

function among(column: FilterColumn, allowed: readonly string[]): Read {
  return (text, name) =>
    allowed.includes(text) ? { column, anyOf: [text] } : refuse(name, `one of ${allowed.join(', ')}`)
}

function matching(column: FilterColumn, pattern: RegExp, shape: string): Read {
  return (text, name) => (pattern.test(text) ? { column, anyOf: [text.toLowerCase()] } : refuse(name, shape))
}

function instant(query: Query, name: 'created_after' | 'created_before'): string | undefined {
  const text = first(query[name])
  if (text === undefined || text === '') return undefined
  // A plus that the URL turned into a space.
  const mended = text.replace(/(?<=T.*) (?=\d\d:\d\d$)/i, '+')
  const ms = Date.parse(mended)
  if (!RFC_3339.test(mended) || Number.isNaN(ms)) refuse(name, 'RFC 3339 such as 2030-01-31T12:00:00Z')
  // Written anew: the database knows no year 0, and takes a day less for a month than the parser here.
  return new Date(Math.max(0, ms)).toISOString()
}

function chosen<T extends string>(text: string | undefined, allowed: readonly T[], problem: string): T | undefined {
  if (text === undefined) return undefined
  const found = allowed.find((value) => value === text)
  if (found === undefined) throw new CodedError('REQUEST_INVALID', problem)
  return found
}

function refuse(name: FilterName, shape: string): never {
  throw new CodedError('REQUEST_INVALID', `${name}: expected ${shape}`, { details: { field: name } })
}
