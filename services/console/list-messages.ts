/** GET /admin/courier/messages: Ory's parameters, order and paging, and a few filters more. */
import { type Database, pgCode, type Tx } from '#libs/database'
import { CodedError } from '#libs/errors'
import { openBlockedBy } from './blocked-by.ts'
import { type DispatchJson, openDispatches } from './list-dispatches.ts'
import { isUnfiltered, type MessageCursor, type MessageFilter } from './message-filter.ts'
import { type JsonOptions, type MessageJson, messageJson } from './message-json.ts'
import { listMessages, type MessageRow } from './message-repository.ts'
import { first, type Query, readFilter } from './read-filter.ts'

export type { Query } from './read-filter.ts'

/** With its dispatches where they were asked for, and there are some. */
export type ListedJson = MessageJson & { readonly dispatches?: readonly DispatchJson[] }

export interface MessagePage {
  readonly messages: ListedJson[]
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
/** A search that no index serves well is given up rather than read the whole table. */
const LONGEST_MS = 5_000
const CANCELED = '57014'

/**
 * @param onlyProject id of the one whose messages may be seen; undefined for all
 * @throws REQUEST_INVALID, PAGE_TOKEN_INVALID, PAGE_TOKEN_EXPIRED
 */
export async function listPage(query: Query, ports: ListPorts, onlyProject?: string): Promise<MessagePage> {
  const size = pageSize(first(query.page_size))
  const token = first(query.page_token)
  const after = token === undefined || token === '' ? undefined : ports.pageTokens.decode(token)
  const wantsDispatches = readFlag(first(query.dispatches), 'dispatches')
  const filter = await readFilter(query, ports, onlyProject)
  // One more than asked tells whether there is a next page.
  const rows = filter === undefined ? [] : await search(ports.database, filter, size + 1, after)
  const shown = rows.slice(0, size)
  return {
    messages: await messagesJson(shown, wantsDispatches, ports),
    link: linkOf(query, size, rows.length > size ? shown.at(-1) : undefined, ports.pageTokens),
  }
}

/** As the list shows them, in the order of `rows`. */
export async function messagesJson(
  rows: readonly MessageRow[],
  wantsDispatches: boolean,
  ports: Omit<ListPorts, 'pageTokens'>,
): Promise<ListedJson[]> {
  const blockedBy = await openBlockedBy(ports.database, rows)
  const dispatchesOf = wantsDispatches ? await openDispatches(rows, ports) : () => ({})
  return rows.map((row) => ({ ...messageJson(row, blockedBy(row), ports), ...dispatchesOf(row.id) }))
}

/** @throws REQUEST_INVALID when it takes too long */
function search(
  database: Database,
  filter: MessageFilter,
  limit: number,
  after?: MessageCursor,
): Promise<MessageRow[]> {
  if (isUnfiltered(filter)) return listMessages(database, filter, limit, after)
  return bounded(database, (tx) => listMessages(tx, filter, limit, after))
}

/** Runs what reads by a filter. @throws REQUEST_INVALID when a statement of it takes too long */
export async function bounded<T>(database: Database, read: (tx: Tx) => Promise<T>): Promise<T> {
  try {
    return await database.transaction(async (tx) => {
      await tx.query({ text: `set local statement_timeout = ${LONGEST_MS}` })
      return read(tx)
    })
  } catch (error) {
    if (pgCode(error) !== CANCELED) throw error
    throw invalid('The search takes longer than 5 s: narrow it, for example by created_after.')
  }
}

/** @throws REQUEST_INVALID naming the parameter */
export function readFlag(text: string | undefined, name: string): boolean {
  if (text === undefined || text === '' || text === 'false') return false
  if (text !== 'true') throw invalid(`${name}: expected true or false`)
  return true
}

function pageSize(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_SIZE
  if (!/^[+-]?\d{1,18}$/.test(text)) throw invalid(`strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  const size = Number(text)
  return size <= 0 ? DEFAULT_SIZE : Math.min(size, MOST)
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

function invalid(message: string): CodedError {
  return new CodedError('REQUEST_INVALID', message)
}
