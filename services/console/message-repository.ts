/** What the console reads: the read model, and accepted messages that are not in it yet. */
import type { Tx } from '#libs/database'
import { MESSAGE_STATES, type MessageState, type OryStatus, oryStatus } from '#libs/messages'

export interface MessageRow {
  readonly id: string
  readonly project_id: string
  readonly channel: string
  readonly template_type: string
  readonly locale: string | null
  readonly sealed: string | null
  readonly trace_id: string | null
  readonly created_at: Date
  /** `created_at` to the microsecond, for the page token. */
  readonly cursor_at: string
  readonly expires_at: Date
  readonly state: MessageState
  readonly dispatch: number
  readonly next_attempt_at: Date | null
  readonly reason: string | null
  readonly failure_class: string | null
  readonly reply_code: number | null
  readonly enhanced_code: string | null
  readonly error: string | null
  readonly possibly_delivered: boolean
  readonly provider_message_id: string | null
  readonly updated_at: Date
}

export interface DispatchRow {
  readonly id: string
  readonly message_id: string
  readonly dispatch: number
  readonly state: MessageState
  readonly attempt: number
  readonly failure_class: string | null
  readonly reply_code: number | null
  readonly enhanced_code: string | null
  readonly error: string | null
  readonly decision: string | null
  readonly duration_ms: number | null
  readonly provider: string | null
  readonly created_at: Date
}

export interface MessageFilter {
  readonly status?: OryStatus
  readonly state?: MessageState
  readonly templateType?: string
  readonly projectId?: string
  /** Any of these; none matches nothing. */
  readonly recipientHashes?: readonly string[]
}

/** Where a page begins: behind this row. */
export interface MessageCursor {
  readonly createdAt: string
  readonly id: string
}

const OF_MESSAGE = `m.id, m.project_id, m.channel, m.template_type, m.locale, coalesce(m.sealed, a.sealed) as sealed,
  m.trace_id, m.created_at, m.created_at::text as cursor_at, m.expires_at, m.state, m.dispatch, m.next_attempt_at, m.reason,
  m.failure_class, m.reply_code, m.enhanced_code, m.error, m.possibly_delivered, m.provider_message_id, m.updated_at`
const OF_ACCEPTED = `a.id, a.project_id, a.channel, a.template_type, a.locale, a.sealed,
  a.trace_id, a.created_at, a.created_at::text, a.expires_at, 'queued', 0, null::timestamptz, null,
  null, null::integer, null, null, false, null, a.created_at`

/** Newest first; at most `limit` rows, empty where nothing matches. */
export async function listMessages(
  database: Tx,
  filter: MessageFilter,
  limit: number,
  after?: MessageCursor,
): Promise<MessageRow[]> {
  const states = statesOf(filter)
  if (states?.length === 0) return []
  const values: unknown[] = [limit]
  const conditions = shared(filter, after, values)
  // In the text, not as a parameter: only so does the planner see that the small index covers the rare states.
  const ofState = states === undefined ? [] : [`state in (${states.map((state) => `'${state}'`).join(', ')})`]
  const newest = `order by created_at desc, id limit $1`
  const messages = `select ${OF_MESSAGE}
    from (select * from console.message ${where([...conditions, ...ofState])} ${newest}) m
    left join console.accepted a on a.id = m.id`
  const notProjected = 'not exists (select from console.message m where m.id = accepted.id)'
  const accepted = `select ${OF_ACCEPTED}
    from (select * from console.accepted ${where([...conditions, notProjected])} ${newest}) a`
  const text = states === undefined || states.includes('queued') ? `${messages} union all ${accepted}` : messages
  const { rows } = await database.query<MessageRow>({ text: `${text} order by created_at desc, id limit $1`, values })
  return rows
}

/** Conditions on columns that both tables have; adds their values. */
function shared(filter: MessageFilter, after: MessageCursor | undefined, values: unknown[]): string[] {
  const conditions: string[] = []
  const add = (condition: (parameter: string) => string, value: unknown): void => {
    conditions.push(condition(`$${values.push(value)}`))
  }
  if (filter.recipientHashes) add((p) => `recipient_hash = any(${p}::text[])`, filter.recipientHashes)
  if (filter.templateType !== undefined) add((p) => `template_type = ${p}`, filter.templateType)
  if (filter.projectId !== undefined) add((p) => `project_id = ${p}::uuid`, filter.projectId)
  if (after !== undefined) {
    const at = `$${values.push(after.createdAt)}::timestamptz`
    const id = `$${values.push(after.id)}::uuid`
    // The first half alone lets the index begin at the right place.
    conditions.push(`created_at <= ${at} and (created_at < ${at} or id > ${id})`)
  }
  return conditions
}

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`
}

/** States that both filters allow; undefined for all. */
function statesOf({ status, state }: MessageFilter): MessageState[] | undefined {
  if (status === undefined && state === undefined) return undefined
  return MESSAGE_STATES.filter(
    (each) => (status === undefined || oryStatus(each) === status) && (state === undefined || each === state),
  )
}

/** One message, projected or only accepted. */
export async function findMessage(database: Tx, id: string): Promise<MessageRow | undefined> {
  const { rows } = await database.query<MessageRow>({
    name: 'find-message',
    text: `select ${OF_MESSAGE} from console.message m left join console.accepted a on a.id = m.id where m.id = $1
           union all
           select ${OF_ACCEPTED} from console.accepted a
           where a.id = $1 and not exists (select from console.message m where m.id = a.id)`,
    values: [id],
  })
  return rows[0]
}

/** Tries of one message, newest first. */
export async function listDispatches(database: Tx, messageId: string): Promise<DispatchRow[]> {
  const { rows } = await database.query<DispatchRow>({
    name: 'list-dispatches',
    text: `select id, message_id, dispatch, state, attempt, failure_class, reply_code, enhanced_code, error, decision,
                  duration_ms, provider, created_at
           from console.dispatch where message_id = $1 order by dispatch desc, created_at desc`,
    values: [messageId],
  })
  return rows
}

/** Ids of all projects, or of the one named by id or slug; empty where it does not exist. */
export async function findProjectIds(database: Tx, idOrSlug?: string): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>({
    text: 'select id from config.project where $1::text is null or id::text = $1 or slug = $1',
    values: [idOrSlug ?? null],
  })
  return rows.map(({ id }) => id)
}

/** Why messages of one channel of a project wait: in the words of the courier. */
export interface BlockedBy {
  readonly class: string
  readonly reply_code: number | null
  readonly enhanced_code: string | null
  readonly since: string
  readonly next_probe_at: string
  readonly message: string
}

export interface BlockageRow {
  readonly project_id: string
  readonly channel: string
  readonly blocked_by: BlockedBy | null
}

/** In any order. @param channels each pair once: what to ask of the couriers' reports */
export async function findBlockages(
  database: Tx,
  channels: readonly Pick<MessageRow, 'project_id' | 'channel'>[],
): Promise<BlockageRow[]> {
  const { rows } = await database.query<BlockageRow>({
    name: 'find-blockages',
    text: `select project_id, channel, courier.blocked_by(project_id, channel) as blocked_by
           from unnest($1::uuid[], $2::text[]) as c (project_id, channel)`,
    values: [channels.map(({ project_id }) => project_id), channels.map(({ channel }) => channel)],
  })
  return rows
}

export interface AcceptedRow {
  readonly id: string
  readonly project_id: string
  readonly channel: string
  readonly template_type: string
  readonly lane: string
  readonly identity_id: string | null
  readonly locale: string | null
  readonly sealed: string
  readonly recipient_hash: string
  readonly trace_id: string | null
  readonly expires_at: string
}

/** Part of the transaction that enqueues: from its commit on the message is found. */
export async function insertAccepted(tx: Tx, rows: readonly AcceptedRow[]): Promise<void> {
  await tx.query({
    text: `insert into console.accepted
             (id, project_id, channel, template_type, lane, identity_id, locale, sealed, recipient_hash, trace_id, created_at, expires_at)
           select id, project_id, channel, template_type, lane, identity_id, locale, sealed, recipient_hash, trace_id, clock_timestamp(), expires_at
           from json_to_recordset($1) as r(id uuid, project_id uuid, channel text, template_type text, lane text, identity_id text,
             locale text, sealed text, recipient_hash text, trace_id text, expires_at timestamptz)`,
    values: [JSON.stringify(rows)],
  })
}
