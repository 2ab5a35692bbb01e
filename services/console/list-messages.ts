/** GET /admin/courier/messages: Ory's parameters, order and paging, and a few filters more. */
import type { Database } from '#libs/database'
import { CodedError } from '#libs/errors'
import { MESSAGE_STATES, type Sealer } from '#libs/messages'
import { openBlockedBy } from './blocked-by.ts'
import { type JsonOptions, type MessageJson, messageJson } from './message-json.ts'
import {
  findProjectIds,
  listMessages,
  type MessageCursor,
  type MessageFilter,
  type MessageRow,
} from './message-repository.ts'

export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

export interface MessagePage {
  readonly messages: MessageJson[]
  /** Value of the Link header (RFC 8288). */
  readonly link: string
}

/** Makes and reads page tokens; only this process's secrets open them. */
export interface PageTokens {
  readonly encode: (cursor: MessageCursor | undefined) => string
  /** @throws PAGE_TOKEN_INVALID, PAGE_TOKEN_EXPIRED */
  readonly decode: (token: string) => MessageCursor | undefined
}

export interface ListPorts extends JsonOptions {
  readonly database: Database
  readonly pageTokens: PageTokens
}

const PATH = '/admin/courier/messages'
const DEFAULT_SIZE = 10
const MOST = 500
const ORY_STATUSES = ['queued', 'sent', 'processing', 'abandoned'] as const

/** @throws REQUEST_INVALID, PAGE_TOKEN_INVALID, PAGE_TOKEN_EXPIRED */
export async function listPage(query: Query, ports: ListPorts): Promise<MessagePage> {
  const size = pageSize(first(query.page_size))
  const token = first(query.page_token)
  const after = token === undefined || token === '' ? undefined : ports.pageTokens.decode(token)
  const filter = await filterOf(query, ports.database, ports.sealer)
  // One more than asked tells whether there is a next page.
  const rows = filter === undefined ? [] : await listMessages(ports.database, filter, size + 1, after)
  const shown = rows.slice(0, size)
  const blockedBy = await openBlockedBy(ports.database, shown)
  return {
    messages: shown.map((row) => messageJson(row, blockedBy(row), ports)),
    link: linkOf(query, size, rows.length > size ? shown.at(-1) : undefined, ports.pageTokens),
  }
}

function pageSize(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_SIZE
  if (!/^[+-]?\d{1,18}$/.test(text)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  const size = Number(text)
  return size <= 0 ? DEFAULT_SIZE : Math.min(size, MOST)
}

/** undefined where nothing can match: a project that does not exist. */
async function filterOf(query: Query, database: Database, sealer: Sealer): Promise<MessageFilter | undefined> {
  const status = chosen(first(query.status), ORY_STATUSES, 'Message status is not valid')
  const state = chosen(first(query.state), MESSAGE_STATES, 'Message state is not valid')
  const recipient = first(query.recipient) || undefined
  const project = first(query.project) || undefined
  const templateType = first(query.template_type) || undefined
  // The hash of an address is another one in every project.
  const projects = recipient !== undefined || project !== undefined ? await findProjectIds(database, project) : []
  if (project !== undefined && projects.length === 0) return undefined
  return {
    ...(status !== undefined && { status }),
    ...(state !== undefined && { state }),
    ...(templateType !== undefined && { templateType }),
    ...(project !== undefined && { projectId: projects[0]! }),
    ...(recipient !== undefined && { recipientHashes: projects.flatMap((id) => sealer.hmacs(id, recipient)) }),
  }
}

function chosen<T extends string>(text: string | undefined, allowed: readonly T[], problem: string): T | undefined {
  if (text === undefined) return undefined
  const found = allowed.find((value) => value === text)
  if (found === undefined) throw invalid(problem)
  return found
}

/** Relative targets with the query's other parameters; `first` always, `next` where there is more. */
function linkOf(query: Query, size: number, last: MessageRow | undefined, tokens: PageTokens): string {
  const target = (cursor: MessageCursor | undefined, rel: string): string => {
    const parameters = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) {
      for (const each of [value ?? []].flat()) parameters.append(name, each)
    }
    parameters.set('page_size', String(size))
    parameters.set('page_token', tokens.encode(cursor))
    parameters.sort()
    return `<${PATH}?${parameters}>; rel="${rel}"`
  }
  const links = [target(undefined, 'first')]
  if (last !== undefined) links.push(target({ createdAt: last.cursor_at, id: last.id }, 'next'))
  return links.join(',')
}

function first(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'object' ? value[0] : value
}

function invalid(message: string): CodedError {
  return new CodedError('REQUEST_INVALID', message)
}
