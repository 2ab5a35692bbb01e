/** Which messages are asked for, and the conditions in SQL. Every one is served by an index, or its statement is bounded. */
import { MESSAGE_STATES, type MessageState } from '#libs/messages'

export type FilterColumn =
  | 'id'
  | 'state'
  | 'project_id'
  | 'channel'
  | 'template_type'
  | 'identity_id'
  | 'recipient_hash'
  | 'recipient_domain'
  | 'failure_class'
  | 'reply_code'
  | 'enhanced_code'
  | 'trace_id'
  | 'provider_message_id'

export interface Term {
  readonly column: FilterColumn
  /** Any of these; none matches nothing. */
  readonly anyOf: readonly (string | number)[]
}

export interface MessageFilter {
  /** All of these hold; one holds where any of its terms does. */
  readonly groups: readonly (readonly Term[])[]
  /** RFC 3339; this instant included. */
  readonly createdAfter?: string | undefined
  /** RFC 3339; this instant excluded. */
  readonly createdBefore?: string | undefined
}

/** Where a page begins: behind this row. */
export interface MessageCursor {
  readonly createdAt: string
  readonly id: string
}

export type MessageTable = 'message' | 'accepted'

const TYPES: Partial<Record<FilterColumn, string>> = { id: 'uuid', project_id: 'uuid', reply_code: 'integer' }
/** What is known of a message that is only accepted; its state is `queued`. */
const OF_ACCEPTED: ReadonlySet<FilterColumn> = new Set([
  'id',
  'project_id',
  'channel',
  'template_type',
  'identity_id',
  'recipient_hash',
  'trace_id',
])

export function isUnfiltered({ groups, createdAfter, createdBefore }: MessageFilter): boolean {
  return groups.length === 0 && createdAfter === undefined && createdBefore === undefined
}

/** Adds its values to `values`. @returns conditions that all hold; undefined, with none added, where no row of that table can match */
export function conditionsOf(
  { groups, createdAfter, createdBefore }: MessageFilter,
  table: MessageTable,
  values: unknown[],
): string[] | undefined {
  const conditions: string[] = []
  const before = values.length
  for (const group of groups) {
    const terms = table === 'message' ? group : group.filter(isOfAccepted)
    if (table === 'accepted' && terms.some(isQueued)) continue
    const any = terms.filter(({ anyOf }) => anyOf.length > 0).map((term) => conditionOf(term, values))
    if (any.length === 0) {
      // PostgreSQL refuses a value that no part of the statement asks for.
      values.length = before
      return undefined
    }
    conditions.push(any.length === 1 ? any[0]! : `(${any.join(' or ')})`)
    // Lets the small index of what is not simply sent serve what only failures have.
    if (table === 'message' && terms.every(isOfFailures)) conditions.push(`state not in ('sent', 'delivered')`)
  }
  if (createdAfter !== undefined) conditions.push(`created_at >= $${values.push(createdAfter)}::timestamptz`)
  if (createdBefore !== undefined) conditions.push(`created_at < $${values.push(createdBefore)}::timestamptz`)
  return conditions
}

/** Of the rows behind `after`, newest first. */
export function behind(after: MessageCursor, values: unknown[]): string {
  const at = `$${values.push(after.createdAt)}::timestamptz`
  const id = `$${values.push(after.id)}::uuid`
  // The first half alone lets the index begin at the right place.
  return `created_at <= ${at} and (created_at < ${at} or id > ${id})`
}

function conditionOf({ column, anyOf }: Term, values: unknown[]): string {
  // In the text, not as a parameter: only so does the planner see that the small index covers the rare states.
  if (column === 'state') return `state in (${statesIn(anyOf).join(', ')})`
  const type = TYPES[column] ?? 'text'
  // A hash index serves equality only.
  if (anyOf.length === 1) return `${column} = $${values.push(anyOf[0])}::${type}`
  return `${column} = any($${values.push(anyOf)}::${type}[])`
}

function statesIn(anyOf: Term['anyOf']): string[] {
  return MESSAGE_STATES.filter((state: MessageState) => anyOf.includes(state)).map((state) => `'${state}'`)
}

function isOfAccepted(term: Term): boolean {
  return OF_ACCEPTED.has(term.column) || isQueued(term)
}

function isQueued({ column, anyOf }: Term): boolean {
  return column === 'state' && anyOf.includes('queued')
}

/** A mail that went out has no class, and a reply that says yes. */
function isOfFailures({ column, anyOf }: Term): boolean {
  if (column === 'failure_class') return true
  if (column === 'reply_code') return anyOf.every((code) => Number(code) >= 400)
  return column === 'enhanced_code' && anyOf.every((code) => /^[45]/.test(String(code)))
}
