/** What the console reads: the read model, and accepted messages that are not in it yet. */
import type { Tx } from '#libs/database'
import type { MessageState } from '#libs/messages'
import { behind, conditionsOf, type MessageCursor, type MessageFilter, type MessageTable } from './message-filter.ts'

export type { MessageCursor } from './message-filter.ts'

export interface MessageRow {
  readonly id: string
  readonly project_id: string
  readonly channel: string
  readonly template_type: string
  readonly lane: string
  readonly identity_id: string | null
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
  /** The message that an operator sent anew as this one. */
  readonly resent_from: string | null
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
  /** ms by phase; null before they were kept, as the three others. */
  readonly durations: Readonly<Record<string, number>> | null
  readonly command: string | null
  readonly provider: string | null
  readonly worker: string | null
  readonly next_attempt_at: Date | null
  readonly sealed: string | null
  readonly created_at: Date
}

const OF_MESSAGE = `m.id, m.project_id, m.channel, m.template_type, m.lane, m.identity_id, m.locale, coalesce(m.sealed, a.sealed) as sealed,
  m.trace_id, m.created_at, m.created_at::text as cursor_at, m.expires_at, m.state, m.dispatch, m.next_attempt_at, m.reason,
  m.failure_class, m.reply_code, m.enhanced_code, m.error, m.possibly_delivered, m.provider_message_id, m.updated_at,
  r.resent_from`
const OF_ACCEPTED = `a.id, a.project_id, a.channel, a.template_type, a.lane, a.identity_id, a.locale, a.sealed,
  a.trace_id, a.created_at, a.created_at::text, a.expires_at, 'queued', 0, null::timestamptz, null,
  null, null::integer, null, null, false, null, a.created_at, r.resent_from`

const JOIN_ACCEPTED = 'left join console.accepted a on a.id = m.id left join console.resend r on r.id = m.id'
const JOIN_RESEND = 'left join console.resend r on r.id = a.id'

/** Newest first; at most `limit` rows, empty where nothing matches. */
export async function listMessages(
  database: Tx,
  filter: MessageFilter,
  limit: number,
  after?: MessageCursor,
): Promise<MessageRow[]> {
  const values: unknown[] = [limit]
  const parts = [
    selectOf('message', `select ${OF_MESSAGE} from (#) m ${JOIN_ACCEPTED}`, { filter, after, values }),
    selectOf('accepted', `select ${OF_ACCEPTED} from (#) a ${JOIN_RESEND}`, { filter, after, values }),
  ].filter((part) => part !== undefined)
  if (parts.length === 0) return []
  const text = `${parts.join(' union all ')} order by created_at desc, id limit $1`
  return (await database.query<MessageRow>({ text, values })).rows
}

export interface Selection {
  readonly filter: MessageFilter
  readonly after: MessageCursor | undefined
  /** The first one is the limit. */
  readonly values: unknown[]
}

/** @param around with `#` in place of the rows chosen. @returns undefined where no row of that table can match */
export function selectOf(
  table: MessageTable,
  around: string,
  { filter, after, values }: Selection,
): string | undefined {
  const conditions = conditionsOf(filter, table, values)
  if (conditions === undefined) return undefined
  if (after !== undefined) conditions.push(behind(after, values))
  if (table === 'accepted') conditions.push('not exists (select from console.message m where m.id = accepted.id)')
  const where = conditions.length === 0 ? '' : `where ${conditions.join(' and ')}`
  return around.replace('#', () => `select * from console.${table} ${where} order by created_at desc, id limit $1`)
}

/** One message, projected or only accepted. */
export async function findMessage(database: Tx, id: string): Promise<MessageRow | undefined> {
  const { rows } = await database.query<MessageRow>({
    name: 'find-message',
    text: `select ${OF_MESSAGE} from console.message m ${JOIN_ACCEPTED} where m.id = $1
           union all
           select ${OF_ACCEPTED} from console.accepted a ${JOIN_RESEND}
           where a.id = $1 and not exists (select from console.message m where m.id = a.id)`,
    values: [id],
  })
  return rows[0]
}

/** Tries of these messages, of each the newest first. */
export async function listDispatches(database: Tx, messageIds: readonly string[]): Promise<DispatchRow[]> {
  const { rows } = await database.query<DispatchRow>({
    name: 'list-dispatches',
    text: `select id, message_id, dispatch, state, attempt, failure_class, reply_code, enhanced_code, error, decision,
                  duration_ms, durations, command, provider, worker, next_attempt_at, sealed, created_at
           from console.dispatch where message_id = any($1::uuid[]) order by dispatch desc, created_at desc`,
    values: [messageIds],
  })
  return rows
}

/** The id of the project named by id or slug; empty where it does not exist. */
export async function findProjectIds(database: Tx, idOrSlug: string): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>({
    text: 'select id from config.project where id::text = $1 or slug = $1',
    values: [idOrSlug],
  })
  return rows.map(({ id }) => id)
}

/** How far back is looked for networks of Kratos, which are no projects here: an index has the newest, whatever there is. */
const NEWEST = 2_000

/** Ids of all projects, and of whatever else has sent of late. */
export async function findSenderIds(database: Tx): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>({
    name: 'find-sender-ids',
    text: `select id from config.project
           union select project_id from (select project_id from console.message order by created_at desc, id limit ${NEWEST}) m`,
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
    text: `with noted as (insert into console.change (ids) select array_agg(id) from json_to_recordset($1) as r(id uuid))
           insert into console.accepted
             (id, project_id, channel, template_type, lane, identity_id, locale, sealed, recipient_hash, trace_id, created_at, expires_at)
           select id, project_id, channel, template_type, lane, identity_id, locale, sealed, recipient_hash, trace_id, clock_timestamp(), expires_at
           from json_to_recordset($1) as r(id uuid, project_id uuid, channel text, template_type text, lane text, identity_id text,
             locale text, sealed text, recipient_hash text, trace_id text, expires_at timestamptz)`,
    values: [JSON.stringify(rows)],
  })
}
