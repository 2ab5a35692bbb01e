/** Makes, lists and revokes keys: for the API, and for the command line on the database itself. */
import type { Database, Tx } from '#libs/database'
import { CodedError } from '#libs/errors'
import { ROLES, type Role } from '../access.ts'
import { writeAudit } from '../actions/audit.ts'
import { findProjectIds } from '../message-repository.ts'
import { insertKey, type KeyRow, listKeys, revokeKey } from './key-repository.ts'
import { newKey } from './key-token.ts'

export interface KeyRequest {
  readonly name: string
  readonly role: Role
  /** Id or slug of the one project that it is bound to. */
  readonly project?: string
  readonly expiresAt?: Date
}

export interface KeyJson {
  readonly id: string
  readonly name: string
  readonly role: Role
  /** Slug; null for a key of every project. */
  readonly project: string | null
  readonly created_at: string
  /** To the minute. */
  readonly last_used_at: string | null
  readonly expires_at: string | null
  readonly revoked_at: string | null
}

const FIELDS: readonly string[] = ['name', 'role', 'project', 'expires_at']
const MOST_NAME = 100
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

/** @throws REQUEST_INVALID naming the field */
export function readKeyRequest(body: unknown): KeyRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('body', 'expected a JSON object')
  const unknown = Object.keys(body).find((key) => !FIELDS.includes(key))
  if (unknown !== undefined) throw invalid(unknown, `no such field, allowed ${FIELDS.join(', ')}`)
  const { name, role, project, expires_at } = body as Record<string, unknown>
  if (project !== undefined && typeof project !== 'string') throw invalid('project', 'expected an id or a slug')
  return {
    name: readName(name),
    role: readRole(role),
    ...(project !== undefined && { project }),
    ...(expires_at !== undefined && { expiresAt: readExpiry(expires_at) }),
  }
}

/** @returns the token beside it, which is shown once and kept nowhere. @throws REQUEST_INVALID */
export async function createKey(
  database: Database,
  request: KeyRequest,
  actor: string,
): Promise<KeyJson & { readonly token: string }> {
  const { name, role, project, expiresAt } = request
  const [projectId] = project === undefined ? [null] : await findProjectIds(database, project)
  if (projectId === undefined) throw invalid('project', 'no such project')
  if (expiresAt !== undefined && expiresAt.getTime() <= Date.now())
    throw invalid('expires_at', 'expected a time to come')
  const { id, token, hash } = newKey()
  const key = { id, name: readName(name), role, project_id: projectId, hash, expires_at: expiresAt ?? null }
  const details = { key: id, name: key.name, role, ...(expiresAt !== undefined && { expires_at: expiresAt }) }
  const row = await database.transaction(async (tx) => {
    await writeAudit(tx, { actor, action: 'key.create', projectId: projectId ?? undefined, details })
    return insertKey(tx, key)
  })
  return { ...keyJson(row), token }
}

/** Newest first, the revoked and expired ones too. */
export async function shownKeys(database: Tx): Promise<KeyJson[]> {
  return (await listKeys(database)).map(keyJson)
}

/** At once, and with it every browser that signed in with it. @throws NOT_FOUND */
export async function endKey(database: Database, id: string, actor: string): Promise<void> {
  await database.transaction(async (tx) => {
    if (!(await revokeKey(tx, id))) throw new CodedError('NOT_FOUND', 'There is no such key.')
    await writeAudit(tx, { actor, action: 'key.revoke', details: { key: id } })
  })
}

function keyJson(row: KeyRow): KeyJson {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    project: row.project,
    created_at: row.created_at.toISOString(),
    last_used_at: row.last_used_at?.toISOString() ?? null,
    expires_at: row.expires_at?.toISOString() ?? null,
    revoked_at: row.revoked_at?.toISOString() ?? null,
  }
}

function readName(name: unknown): string {
  if (typeof name !== 'string' || name.trim() === '' || name.length > MOST_NAME || /\p{Cc}/u.test(name))
    throw invalid('name', `expected 1 to ${MOST_NAME} characters`)
  return name
}

function readRole(role: unknown): Role {
  const found = ROLES.find((each) => each === role)
  if (found === undefined) throw invalid('role', `expected ${ROLES.join(', ')}`)
  return found
}

function readExpiry(value: unknown): Date {
  const at = typeof value === 'string' && INSTANT.test(value) ? new Date(value) : undefined
  if (at === undefined || Number.isNaN(at.getTime()))
    throw invalid('expires_at', 'expected an instant such as 2030-01-02T03:04:05Z')
  return at
}

function invalid(field: string, problem: string): CodedError {
  return new CodedError('REQUEST_INVALID', `${field}: ${problem}`, { details: { field } })
}
