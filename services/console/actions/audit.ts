/** Who did what, written in the transaction that did it. */
import type { Tx } from '#libs/database'
import { CodedError } from '#libs/errors'

export interface AuditEntry {
  /** Name of the key; `local` on loopback without one. */
  readonly actor: string
  /** What was done, as `message.cancel` or `project.update`. */
  readonly action: string
  readonly messageId?: string | undefined
  readonly projectId?: string | undefined
  /** Small, and never an address, a code or a credential. */
  readonly details?: Readonly<Record<string, unknown>>
}

export interface AuditJson {
  readonly id: number
  readonly at: string
  readonly actor: string
  readonly action: string
  readonly message_id: string | null
  readonly project_id: string | null
  readonly details: Readonly<Record<string, unknown>>
}

export interface AuditQuery {
  readonly limit?: string
  /** Id of an entry: older ones only. */
  readonly before?: string
}

const DEFAULT_SIZE = 50
const MOST = 500

/** Part of the transaction of the action: both are committed, or neither. */
export async function writeAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  const { actor, action, messageId = null, projectId = null, details = {} } = entry
  await tx.query({
    name: 'write-audit',
    text: 'insert into console.audit (actor, action, message_id, project_id, details) values ($1, $2, $3, $4, $5)',
    values: [actor, action, messageId, projectId, JSON.stringify(details, storable)],
  })
}

/** What an entry tells of a request must never keep it from being written: jsonb takes neither U+0000 nor half a surrogate pair. */
function storable(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd') : value
}

/** Newest first. @throws REQUEST_INVALID naming the parameter */
export async function listAudit(database: Tx, { limit, before }: AuditQuery): Promise<AuditJson[]> {
  const size = number(limit, 'limit') ?? DEFAULT_SIZE
  const { rows } = await database.query<Omit<AuditJson, 'at'> & { at: Date }>({
    name: 'list-audit',
    text: `select id, at, actor, action, message_id, project_id, details from console.audit
           where id < coalesce($1::bigint, 9223372036854775807) order by id desc limit $2`,
    values: [number(before, 'before') ?? null, Math.min(size, MOST)],
  })
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }))
}

function number(text: string | undefined, name: string): number | undefined {
  if (text === undefined || text === '') return undefined
  if (!/^[1-9]\d{0,14}$/.test(text))
    throw new CodedError('REQUEST_INVALID', `${name}: expected a number above 0`, { details: { field: name } })
  return Number(text)
}
