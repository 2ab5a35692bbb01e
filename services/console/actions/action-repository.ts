/** The SQL of actions: what is known of the messages they are about, and the one thing that is asked of the couriers' ledger. */
import type { Tx } from '#libs/database'
import type { MessageCursor, MessageFilter } from '../message-filter.ts'
import { type MessageRow, selectOf } from '../message-repository.ts'

/** A message as an action sees it. */
export interface Target
  extends Pick<
    MessageRow,
    | 'id'
    | 'project_id'
    | 'channel'
    | 'template_type'
    | 'lane'
    | 'identity_id'
    | 'locale'
    | 'trace_id'
    | 'created_at'
    | 'cursor_at'
    | 'expires_at'
    | 'state'
    | 'dispatch'
  > {
  readonly charged: number
  readonly recipient_domain: string | null
}

export type Op = 'cancel' | 'retry'

export interface Outcome {
  readonly outcome: 'done' | 'too_late' | 'finished' | 'unknown'
  /** How it ended, or `processing`. */
  readonly state: string | null
}

const SHARED = 'id, project_id, channel, template_type, lane, identity_id, locale, trace_id, created_at'
const OF_MESSAGE = `${SHARED}, created_at::text as cursor_at, expires_at, state, dispatch, charged, recipient_domain`
const OF_ACCEPTED = `${SHARED}, created_at::text, expires_at, 'queued', 0, 0, null`

/** Newest first; at most `limit`. */
export async function listTargets(
  tx: Tx,
  filter: MessageFilter,
  limit: number,
  after?: MessageCursor,
): Promise<Target[]> {
  const values: unknown[] = [limit]
  const parts = [
    selectOf('message', `select ${OF_MESSAGE} from (#) m`, { filter, after, values }),
    selectOf('accepted', `select ${OF_ACCEPTED} from (#) a`, { filter, after, values }),
  ].filter((part) => part !== undefined)
  if (parts.length === 0) return []
  const text = `${parts.join(' union all ')} order by created_at desc, id limit $1`
  return (await tx.query<Target>({ text, values })).rows
}

export async function findTarget(tx: Tx, id: string): Promise<Target | undefined> {
  return (await listTargets(tx, { groups: [[{ column: 'id', anyOf: [id] }]] }, 1))[0]
}

/** In order of the ids, as couriers take them, so that nobody waits in a circle. @param events of the same order; null for retry */
export async function command(
  tx: Tx,
  op: Op,
  ids: readonly string[],
  events: readonly (string | null)[],
): Promise<Map<string, Outcome>> {
  const { rows } = await tx.query<Outcome & { id: string }>({
    name: 'command',
    text: `select i.id, c.outcome, c.state
           from (select * from unnest($2::uuid[], $3::jsonb[]) as i (id, event) order by id) i
           cross join lateral courier.command(i.id, $1, i.event) c`,
    values: [op, ids, events],
  })
  return new Map(rows.map(({ id, outcome, state }) => [id, { outcome, state }]))
}

/** A newer message of the same kind to the same recipient. @param hashes of the recipient, under every secret */
export async function findNewer(
  tx: Tx,
  { id, template_type }: Pick<Target, 'id' | 'template_type'>,
  hashes: readonly string[],
  except: string,
): Promise<string | undefined> {
  const { rows } = await tx.query<{ id: string }>({
    text: `select id from (
             select id from console.message where recipient_hash = any($1::text[]) and template_type = $2 and id > $3
             union all
             select id from console.accepted where recipient_hash = any($1::text[]) and template_type = $2 and id > $3
           ) newer where id <> $4 order by id desc limit 1`,
    values: [hashes, template_type, id, except],
  })
  return rows[0]?.id
}

export async function insertResend(tx: Tx, id: string, resentFrom: string): Promise<void> {
  await tx.query({
    text: 'insert into console.resend (id, resent_from) values ($1, $2)',
    values: [id, resentFrom],
  })
}
